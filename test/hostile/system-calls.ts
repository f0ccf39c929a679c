/** Numbers of system calls on this machine, for attacks that no program offers. */
const NUMBERS = {
  x64: {
    unshare: 272,
    clone: 56,
    clone3: 435,
    setns: 308,
    mount: 165,
    umount2: 166,
    pivot_root: 155,
    chroot: 161,
    open_tree: 428,
    move_mount: 429,
    fsopen: 430,
    mount_setattr: 442,
    add_key: 248,
    request_key: 249,
    keyctl: 250,
    bpf: 321,
    perf_event_open: 298,
    userfaultfd: 323,
    io_uring_setup: 425,
    open_by_handle_at: 304,
    ptrace: 101,
    process_vm_readv: 310,
    kexec_load: 246,
    init_module: 175,
    syslog: 103,
    reboot: 169,
    swapon: 167,
    acct: 163,
    fanotify_init: 300,
    mknodat: 259,
    sethostname: 170,
    socket: 41,
    setuid: 105,
    prctl: 157,
  },
  arm64: {
    unshare: 97,
    clone: 220,
    clone3: 435,
    setns: 268,
    mount: 40,
    umount2: 39,
    pivot_root: 41,
    chroot: 51,
    open_tree: 428,
    move_mount: 429,
    fsopen: 430,
    mount_setattr: 442,
    add_key: 217,
    request_key: 218,
    keyctl: 219,
    bpf: 280,
    perf_event_open: 241,
    userfaultfd: 282,
    io_uring_setup: 425,
    open_by_handle_at: 265,
    ptrace: 117,
    process_vm_readv: 270,
    kexec_load: 104,
    init_module: 105,
    syslog: 116,
    reboot: 142,
    swapon: 224,
    acct: 89,
    fanotify_init: 262,
    mknodat: 33,
    sethostname: 161,
    socket: 198,
    setuid: 146,
    prctl: 167,
  },
};

type Name = keyof (typeof NUMBERS)["x64"];

const numbers = NUMBERS[process.arch === "arm64" ? "arm64" : "x64"];

/** The number of a system call here. */
export function numberOf(name: Name): number {
  return numbers[name];
}

/** A shell line that makes the calls and prints `name: worked` or `name: ERROR`, one line each. */
export function callsScript(calls: { name: Name; args: string; label?: string }[]): string {
  const lines = calls.map(
    ({ name, args, label }) =>
      `$! = 0; $r = syscall(${[numberOf(name), args].filter((each) => each !== "").join(", ")}); ` +
      `$e = (grep { $!{$_} } keys %!)[0]; print "${label ?? name}: ", ($r == -1 ? $e : "worked"), "\\n";`,
  );
  return `perl -MErrno -e '$| = 1; my ($r, $e); ${lines.join(" ")}'`;
}
