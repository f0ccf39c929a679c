/** Whether a process of that number lives; one of somebody else does. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Any other answer comes from a process of somebody else.
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}
