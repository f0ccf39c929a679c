/** Fails, with what to do, where a test tries what only root may: to mount, or to give files away. */
export function needRoot(): void {
  if (process.platform === "linux" && process.getuid?.() === 0) return;
  throw new Error(
    "only root of a Linux machine may do what is tried here: run this test as root, as in a container",
  );
}
