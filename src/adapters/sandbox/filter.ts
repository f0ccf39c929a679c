/**
 * System calls no command needs and srt's own filter lets through, with their numbers (0: there is none). The keyrings
 * of the server are inherited by every child and readable in any namespace; the others reach kernel
 * code that unprivileged programs rarely use and attackers often do (the list is Docker's, shortened).
 */
const DENIED: Record<string, readonly [x64: number, arm64: number]> = {
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  open_by_handle_at: [304, 265],
  fanotify_init: [300, 262],
  syslog: [103, 116],
  acct: [163, 89],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  swapon: [167, 224],
  swapoff: [168, 225],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  reboot: [169, 142],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  iopl: [172, 0],
  ioperm: [173, 0],
  lookup_dcookie: [212, 18],
  nfsservctl: [180, 42],
};

const MACHINES = {
  x64: { audit: 0xc000003e, column: 0, socket: 41, ioctl: 16, fallocate: 285 },
  arm64: { audit: 0xc00000b7, column: 1, socket: 198, ioctl: 29, fallocate: 47 },
} as const;

/** AF_UNIX (srt's relays need it; srt's filter takes it away from the command), IPv4, IPv6, netlink. */
const FAMILIES = [1, 2, 10, 16];
/** Keys typed into a terminal, pasted into a console, console output taken over. */
const TERMINAL_REQUESTS = [0x5412, 0x541c, 0x541d];
/** What fallocate does, by another way: FS_IOC_RESVSP, FS_IOC_RESVSP64, FS_IOC_ZERO_RANGE. */
const DISK_REQUESTS = [0x40305828, 0x4030582a, 0x40305839];

const EPERM = 1;
const EAFNOSUPPORT = 97;
/** What a file system says that cannot do it; programs then write instead. */
const EOPNOTSUPP = 95;
const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
/** Offsets in the kernel's `struct seccomp_data`; arguments are 64 bits, little end first. */
const NUMBER = 0;
const ARCH = 4;
const FIRST_ARGUMENT = 16;
const SECOND_ARGUMENT = 24;
/** From here on x64 numbers are those of the x32 ABI, which would go round every line below. */
const X32 = 0x40000000;

const LOAD = 0x20;
const EQUAL = 0x15;
const AT_LEAST = 0x35;
const RETURN = 0x06;

type Line = [code: number, ifSo: number, ifNot: number, value: number];

/**
 * A filter of system calls in the kernel's own format, for bubblewrap's `--seccomp`; null where we
 * know no numbers. It stands beside srt's and must not forbid what srt's helper does before that.
 */
export function systemCallFilter(arch: string): Buffer | null {
  if (arch !== "x64" && arch !== "arm64") return null;
  const machine = MACHINES[arch];
  const refuse = (errno: number): Line => [RETURN, 0, 0, ERRNO | errno];
  const allow: Line = [RETURN, 0, 0, ALLOW];
  const whenEqual = (value: number, then: Line): Line[] => [[EQUAL, 0, 1, value], then];
  const calls = Object.values(DENIED).map((numbers) => numbers[machine.column]);
  const lines: Line[] = [
    [LOAD, 0, 0, ARCH],
    [EQUAL, 1, 0, machine.audit],
    refuse(EPERM),
    [LOAD, 0, 0, NUMBER],
    [AT_LEAST, 0, 1, X32],
    refuse(EPERM),
    ...calls.flatMap((call) => (call ? whenEqual(call, refuse(EPERM)) : [])),
    // It takes a whole disk in no time: sooner than anyone could see it and stop it.
    ...whenEqual(machine.fallocate, refuse(EOPNOTSUPP)),
    [EQUAL, 0, 2 + 2 * FAMILIES.length, machine.socket],
    [LOAD, 0, 0, FIRST_ARGUMENT],
    ...FAMILIES.flatMap((family) => whenEqual(family, allow)),
    refuse(EAFNOSUPPORT),
    [EQUAL, 0, 1 + 2 * (TERMINAL_REQUESTS.length + DISK_REQUESTS.length), machine.ioctl],
    [LOAD, 0, 0, SECOND_ARGUMENT],
    ...TERMINAL_REQUESTS.flatMap((request) => whenEqual(request, refuse(EPERM))),
    ...DISK_REQUESTS.flatMap((request) => whenEqual(request, refuse(EOPNOTSUPP))),
    allow,
  ];
  const bytes = Buffer.alloc(lines.length * 8);
  for (const [at, [code, ifSo, ifNot, value]] of lines.entries()) {
    bytes.writeUInt16LE(code, at * 8);
    bytes.writeUInt8(ifSo, at * 8 + 2);
    bytes.writeUInt8(ifNot, at * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, at * 8 + 4);
  }
  return bytes;
}
