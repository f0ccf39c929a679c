/** Everything of jobs that lies on this machine. Safe beside jobs that run: those are told by `busy`. */
export interface Premises {
  /** Jobs that have something here: a workspace, a worktree's registration, a ref of a mirror. */
  jobs(): Promise<string[]>;
  /**
   * Removes the workspaces of these jobs, and their refs unless the change is held; and what processes
   * that died left in mirrors.
   */
  clear(over: { id: string; held: boolean }[], busy: Busy): Promise<void>;
  /** Bytes on the disk. */
  size(): Promise<number>;
  /** Removes mirrors nobody needs, least recently used first, until so many bytes are freed; how many were. */
  shrink(bytes: number, busy: Busy): Promise<number>;
}

/** What this process works on at this moment. */
export interface Busy {
  job(id: string): boolean;
  repository(id: number): boolean;
}
