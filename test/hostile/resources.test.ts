import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import {
  BOMB,
  countOf,
  expectOthersUnhurt,
  FILES_IN_MEMORY,
  FILL,
  HERD,
  HOG,
  LOW,
  MB,
  type Pressed,
  perl,
  press,
} from "./pressed.ts";

let side: Pressed;

describe("a hostile command", () => {
  beforeAll(async () => {
    side = await press();
    await side.sandbox.check();
  });
  afterAll(() => side.end());

  it("resources-01 is a fork bomb", async () => {
    const result = await side.attack(BOMB);
    expect(countOf(result.output)).toBeLessThan(LOW.processes ?? 0);
    expectOthersUnhurt(result);
  });

  it("resources-02 starts threads without end", async () => {
    const result = await side.attack(
      perl(
        `use threads ("stack_size" => 65536); for (1..600) { threads->create(sub { sleep 3 }) or last; $n++ } print "$n threads\\n"; exec "true"`,
      ),
    );
    expect(countOf(result.output)).toBeLessThan(LOW.processes ?? 0);
    expectOthersUnhurt(result);
  });

  it("resources-03 takes 2 GB of memory in one process", async () => {
    const result = await side.attack(HOG);
    expect(result.output).not.toContain("survived");
    expect(result.exitCode).not.toBe(0);
    expectOthersUnhurt(result);
  });

  it("resources-04 takes memory in many processes, each of them small", async () => {
    const result = await side.attack(HERD);
    expect(result).toMatchObject({ exitCode: null, stopped: "memory" });
    expect(result.output).toContain(
      "[stopped: it used more than 300 MB of memory; the server's DRAFTSMITH_MEMORY_MB",
    );
    expectOthersUnhurt(result);
  });

  it("resources-05 fills memory that belongs to no process: files that exist in memory only", async () => {
    const result = await side.attack(FILES_IN_MEMORY);
    expect(result.stopped).toBe("memory");
    expect(result.output).not.toContain("survived");
    expectOthersUnhurt(result);
  });

  it("resources-06 fills what the sandbox itself keeps in memory: /dev, /dev/shm, /run, the root", async () => {
    const job = await side.workspace();
    const script = `
      for dir in /dev /run /var /etc /root /home /mnt / /sys /proc; do
        head -c 1M /dev/zero >$dir/fill 2>/dev/null && echo wrote $dir
      done
      head -c 1M /dev/zero >/dev/shm/fill && echo wrote /dev/shm; df -P /dev/shm /tmp | awk '{ print $1 }'`;
    const result = await side.attack(script, { at: job });
    const wrote = result.output.split("\n").filter((line) => line.startsWith("wrote"));
    expect(wrote).toEqual(["wrote /dev/shm"]);
    // What stands there counts as the job's disk.
    expect(result.output).not.toContain("tmpfs");
    expect(readdirSync(job.tmp)).toContain("fill");
  });

  it("resources-07 makes a sparse file of 100 GB", async () => {
    const job = await side.workspace();
    const result = await side.attack("truncate -s 100G sparse; echo; stat -c %s sparse", {
      at: job,
    });
    expect(Number(result.output.trim().split("\n").at(-1))).toBeLessThanOrEqual(100 * MB);
    expectOthersUnhurt(result);
  });

  it("resources-08 reserves a whole disk at once", async () => {
    const ioctl = 0x40305828;
    const result = await side.attack(`
      fallocate -l 60M at-once 2>&1; stat -c 'blocks %b' at-once
      perl -e 'open F, ">other"; my $r = pack("ssxxxxqqiLl4", 0, 0, 0, 60 << 20, 0, 0, 0, 0, 0, 0);
        print ioctl(F, ${ioctl}, $r) ? "reserved\\n" : "refused\\n"; print "blocks ", (stat F)[12], "\\n"'`);
    expect(result.output).toContain("not supported");
    expect(result.output.match(/^blocks .*$/gm)).toEqual(["blocks 0", "blocks 0"]);
    expect(result.output).not.toContain("reserved");
  });

  it("resources-09 fills the disk, is told, tidies up, and does it again", async () => {
    const job = await side.workspace();
    const result = await side.attack(FILL, { at: job });
    expect(result).toMatchObject({ exitCode: null, stopped: "disk" });
    expect(result.output).toContain("[stopped: it used more than 100 MB of disk]");
    expect(result.output).not.toContain("filled");
    expectOthersUnhurt(result);
    expect((await side.run(job, "rm big.*; echo tidy")).output).toBe("tidy\n");
    expect((await side.run(job, FILL)).stopped).toBe("disk");
    const refused = side.run(job, "echo more");
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow("it used more than 100 MB of disk, twice");
  });

  it("resources-10 makes tiny files without end", async () => {
    const result = await side.attack(
      perl(
        `for my $d (1..400) { mkdir "d$d"; for (1..250) { open F, ">", "d$d/$_" or last; close F } } print "made\\n"; sleep 15`,
      ),
    );
    expect(result).toMatchObject({ exitCode: null, stopped: "disk" });
    expect(result.output).toContain("[stopped: it made more than 5,000 files]");
    expectOthersUnhurt(result);
  });

  it("resources-11 fills the disk with files that no directory shows", async () => {
    const result = await side.attack(
      perl(
        `for (1..15) { open my $h, "+>", "gone"; unlink "gone"; push @f, $h; syswrite $h, "z" x 1048576 for 1..40 } print "hidden\\n"; sleep 15`,
      ),
    );
    expect(result).toMatchObject({ exitCode: null, stopped: "disk" });
    expectOthersUnhurt(result);
  });

  it("resources-38 opens so many files that those it hides are not looked at", async () => {
    const result = await side.attack(
      perl(
        `for (1..9) { fork or do { open $f[$_], "<", "/dev/null" for 1..8000; sleep 15; exit } } sleep 15; print "unseen\\n"`,
      ),
    );
    expect(result).toMatchObject({ exitCode: null, stopped: "memory" });
    expect(result.output).toContain("[stopped: it held more than 50,000 files open]");
    expectOthersUnhurt(result);
  });

  it("resources-12 unpacks a bomb", async () => {
    const job = await side.workspace();
    const made = await side.run(
      job,
      "head -c 50M /dev/zero | gzip -9 >part && for i in $(seq 40); do cat part; done >bomb && wc -c <bomb",
    );
    expect(Number(made.output)).toBeLessThan(4 * MB);
    const result = await side.attack("gunzip -c bomb | split -b 20M; echo unpacked", { at: job });
    expect(result).toMatchObject({ exitCode: null, stopped: "disk" });
    expect(result.output).not.toContain("unpacked");
    expectOthersUnhurt(result);
  });

  it("resources-13 hides what it writes below 3,000 directories, behind pipes, links and renames", async () => {
    const result = await side.attack(`
      ln -s / everything; ln -s . loop; mkfifo pipe; mkdir closed swing
      (while :; do mv swing swung; mv swung swing; done) 2>/dev/null &
      perl -e '$n = "n" x 200; for (1..3000) { mkdir $n or die; chdir $n } mkdir "s"; chdir "s";
        for (1..40) { open F, ">", "f$_" or die; syswrite F, "z" x 1048576 for 1..20; close F } sleep 15; print "unseen\\n"'`);
    expect(result).toMatchObject({ exitCode: null, stopped: "disk" });
    expect(result.output).not.toContain("unseen");
    expectOthersUnhurt(result);
  });

  it("resources-15 runs as important as the server", async () => {
    const result = await side.attack(
      "nice; nice -n -20 nice 2>/dev/null; renice -n -5 -p $$ 2>/dev/null; nice",
    );
    const levels = result.output.match(/^\d+$/gm)?.map(Number) ?? [];
    expect(levels.length).toBeGreaterThan(1);
    expect(Math.min(...levels)).toBeGreaterThanOrEqual(10);
  });

  it("resources-16 opens files without end", async () => {
    const result = await side.attack(
      perl(
        `while (open my $f, "<", "/dev/null") { push @f, $f; last if @f > 30_000 } print scalar(@f), " files\\n"`,
      ),
    );
    expect(countOf(result.output)).toBeLessThan(8192);
  });

  it("resources-17 fills pipes that nobody reads", async () => {
    const result = await side.attack(
      perl(
        `for (1..100) { fork or do { while (1) { pipe(my $r, my $w) or last; fcntl($w, 4, 2048); syswrite $w, "x" x 65536; push @p, $r, $w } sleep 8; exit } } sleep 8; print "survived\\n"`,
      ),
    );
    expectOthersUnhurt(result);
    const { groups: kernel } = await side.sandbox.bounds();
    if (kernel !== null) expect(result.stopped).toBe("memory");
  });

  it("resources-18 says more than anybody can read", async () => {
    const before = process.memoryUsage().rss;
    for (const flood of ["yes", "cat /dev/zero", "head -c 300M /dev/zero | tr '\\0' x; echo end"]) {
      const result = await side.attack(flood, { keepBytes: 4000 });
      expect(result.stopped).toBe("output");
      expect(result.output.length).toBeLessThan(5000);
      expectOthersUnhurt(result);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * MB);
  });

  it("resources-19 never ends", async () => {
    const late = new Promise((resolve) => setTimeout(() => resolve("it still runs"), 8000));
    const run = side.attack("trap '' TERM INT HUP; while :; do sleep 1; done", {
      timeoutMs: 1000,
    });
    expect(await Promise.race([run, late])).toMatchObject({ exitCode: null, stopped: "timeout" });
  });
});
