import { describe, expect, it } from "vitest";
import { narrow } from "../../../src/adapters/sandbox/bwrap.ts";

const COMMAND = `SRT_ALLOW_NESTED_USERNS=0 /run/apply-seccomp /bin/bash -c 'it'"'"'s'`;
const word = (text: string) => `'${text.replaceAll("'", `'"'"'`)}'`;
const LINE =
  "/usr/bin/bwrap --new-session --die-with-parent --unshare-net --ro-bind / / " +
  "--bind '/data/a b/tree' '/data/a b/tree' --ro-bind /dev/null /notes.txt --tmpfs /etc --tmpfs /tmp --tmpfs /secret " +
  "--tmpfs '/it'\"'\"'s' --ro-bind '/it'\"'\"'s/bin' '/it'\"'\"'s/bin' --dev /dev --unshare-pid " +
  `--unshare-user --cap-drop ALL --cap-add CAP_SETFCAP --proc /proc -- /bin/bash -c ${word(COMMAND)}`;

const to = {
  bwrap: "/usr/bin/bwrap",
  root: { dirs: ["/usr"], links: [{ name: "/bin", target: "usr/bin" }] },
  hostname: "inside",
  files: [{ descriptor: 4, name: "/etc/passwd" }],
  filter: 9,
  tmp: "/data/tmp",
  shm: "/data/shm",
  sizes: true,
  relay: null,
};

describe("narrowing srt's bubblewrap command", () => {
  it("keeps the words as a shell would read them, and narrows them", () => {
    const words = [
      "/usr/bin/bwrap --unshare-ipc --unshare-uts --hostname inside --unshare-cgroup-try --seccomp 9",
      "--new-session --die-with-parent --unshare-net --symlink usr/bin /bin --ro-bind /usr /usr",
      "--bind /data/a_b/tree /data/a_b/tree --tmpfs /etc --bind /data/tmp /tmp --tmpfs /it's",
      "--ro-bind /it's/bin /it's/bin --dev /dev --unshare-pid --unshare-user --cap-drop ALL",
      "--proc /proc --ro-bind-data 4 /etc/passwd --bind /data/shm /dev/shm",
      "--remount-ro /etc --remount-ro /it's --remount-ro / --remount-ro /dev",
    ];
    expect(narrow(LINE, to)).toEqual([
      ...words.flatMap((line) => line.split(" ")).map((each) => each.replace("a_b", "a b")),
      ...["--", "/bin/bash", "-c", COMMAND],
    ]);
  });

  it("keeps every mask below what is shown", () => {
    const line = LINE.replace("--dev /dev", "--tmpfs /usr/home/server --dev /dev");
    expect(narrow(line, to).join(" ")).toContain("--tmpfs /usr/home/server");
  });

  it("shows nothing of the host's root but what it is told to", () => {
    const text = narrow(LINE, to).join(" ");
    expect(text).not.toContain("--ro-bind / /");
    expect(text).not.toMatch(/notes\.txt|secret/);
  });

  it("leads to the proxy only where there is a relay, which starts before the filter of system calls", () => {
    expect(narrow(LINE, to).join(" ")).not.toMatch(/draftsmith-proxy|socat/);
    const relay = { socket: "/run/out/1", bash: "/usr/bin/bash", socat: "/usr/bin/socat" };
    const words = narrow(LINE, { ...to, relay });
    expect(words.join(" ")).toContain("--ro-bind /run/out/1 /dev/draftsmith-proxy --");
    const [, shell, flag, script = "", ...more] = words.slice(words.indexOf("--"));
    expect([shell, flag, more]).toEqual(["/usr/bin/bash", "-c", []]);
    const lines = script.split("\n");
    expect(lines.at(0)).toMatch(/^'\/usr\/bin\/socat' .*UNIX-CONNECT:\/dev\/draftsmith-proxy .*&$/);
    expect(lines.at(-1)).toBe(COMMAND.replace("/run/", "exec /run/"));
  });

  it("keeps /tmp in memory, of a size, where the job's own directory cannot stand there", () => {
    const text = narrow(LINE, { ...to, tmp: null }).join(" ");
    expect(text).toContain("--size 536870912 --tmpfs /tmp ");
    expect(text).toContain("--bind /data/shm /dev/shm");
  });

  it("asks an old bubblewrap for no size", () => {
    const text = narrow(LINE, { ...to, tmp: null, sizes: false }).join(" ");
    expect(text).toContain("--tmpfs /tmp ");
    expect(text).not.toContain("--size");
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

  it("refuses another program", () => {
    expect(() => narrow(LINE, { ...to, bwrap: "/opt/bwrap" })).toThrow("unexpected command");
  });
});
