import { describe, expect, it } from "vitest";
import { narrow } from "../../../src/adapters/sandbox/bwrap.ts";

const COMMAND = `SRT_ALLOW_NESTED_USERNS=0 /run/apply-seccomp /bin/bash -c 'it'"'"'s'`;
const word = (text: string) => `'${text.replaceAll("'", `'"'"'`)}'`;
const relays = (socket: string) =>
  `/bin/bash -c ${word(`socat UNIX-CONNECT:${socket} &\nwait\n${COMMAND}`)}`;

const LINE =
  "/usr/bin/bwrap --new-session --die-with-parent --unshare-net --bind /tmp/p.sock /tmp/p.sock --ro-bind / / " +
  "--bind '/data/a b/tree' '/data/a b/tree' --ro-bind /dev/null /notes.txt --tmpfs /etc --tmpfs /tmp --tmpfs /secret " +
  "--tmpfs '/it'\"'\"'s' --ro-bind '/it'\"'\"'s/bin' '/it'\"'\"'s/bin' --dev /dev --unshare-pid " +
  `--unshare-user --cap-drop ALL --cap-add CAP_SETFCAP --proc /proc -- /bin/bash -c ${word(relays("/tmp/p.sock"))}`;

const to = {
  bwrap: "/usr/bin/bwrap",
  root: { dirs: ["/usr"], links: [{ name: "/bin", target: "usr/bin" }] },
  hostname: "inside",
  files: [{ descriptor: 4, name: "/etc/passwd" }],
  filter: 9,
  tmp: "/data/tmp",
  socket: "/tmp/p.sock",
  network: true,
};

describe("narrowing srt's bubblewrap command", () => {
  it("keeps the words as a shell would read them, and narrows them", () => {
    const words = [
      "/usr/bin/bwrap --unshare-ipc --unshare-uts --hostname inside --unshare-cgroup-try --seccomp 9",
      "--new-session --die-with-parent --unshare-net --symlink usr/bin /bin --ro-bind /usr /usr",
      "--bind /data/a_b/tree /data/a_b/tree --tmpfs /etc --bind /data/tmp /tmp --tmpfs /it's",
      "--ro-bind /it's/bin /it's/bin --dev /dev --unshare-pid --unshare-user --cap-drop ALL",
      "--proc /proc --ro-bind-data 4 /etc/passwd --remount-ro /etc --remount-ro /it's --remount-ro /",
      "--ro-bind /tmp/p.sock /dev/draftsmith-proxy",
    ];
    expect(narrow(LINE, to)).toEqual([
      ...words.flatMap((line) => line.split(" ")).map((each) => each.replace("a_b", "a b")),
      ...["--", "/bin/bash", "-c", relays("/dev/draftsmith-proxy")],
    ]);
  });

  it("shows nothing of the host's root but what it is told to", () => {
    const text = narrow(LINE, to).join(" ");
    expect(text).not.toContain("--ro-bind / /");
    expect(text).not.toMatch(/notes\.txt|secret/);
  });

  it("leaves no way to the proxy without network", () => {
    const words = narrow(LINE, { ...to, network: false });
    expect(words).not.toContain("/tmp/p.sock");
    expect(words.slice(words.indexOf("--"))).toEqual(["--", "/bin/bash", "-c", COMMAND]);
    expect(words.join(" ")).not.toContain("draftsmith-proxy");
  });

  it("keeps /tmp in memory where the job's own directory cannot stand there", () => {
    expect(narrow(LINE, { ...to, tmp: null }).join(" ")).toContain("--tmpfs /tmp ");
  });

  it.each([
    "--unshare-net",
    "--unshare-pid",
    "--unshare-user",
    "--die-with-parent",
    "--proc",
    "--tmpfs /tmp",
    "--ro-bind / /",
  ])("refuses a command without %s", (option) => {
    expect(() => narrow(LINE.replace(`${option} `, ""), to)).toThrow("unexpected command");
  });

  it("refuses relays it does not know", () => {
    const line = LINE.replace("UNIX-CONNECT", "ABSTRACT-CONNECT");
    expect(() => narrow(line, { ...to, network: false })).toThrow("unexpected shape");
  });

  it("refuses another program", () => {
    expect(() => narrow(LINE, { ...to, bwrap: "/opt/bwrap" })).toThrow("unexpected command");
  });
});
