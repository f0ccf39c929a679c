/** Collects output in bounded memory: the first and the last bytes of it. */
export interface Output {
  push(chunk: Uint8Array): void;
  /** What was kept, as clean text, with a notice where something is missing. */
  text(): string;
}

/** Keeps `keepBytes` of what is pushed, half from the head and half from the tail. */
export function createOutput(keepBytes: number): Output {
  const half = Math.max(1, Math.floor(keepBytes / 2));
  const head = Buffer.alloc(half);
  const ring = Buffer.alloc(half);
  let total = 0;
  let lines = 0;

  return {
    push(chunk) {
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
      const forHead = Math.min(chunk.length, Math.max(0, half - total));
      head.set(chunk.subarray(0, forHead), Math.min(total, half));
      const rest = chunk.subarray(forHead);
      // Only the last `half` bytes of a chunk can survive in the ring.
      const kept = rest.subarray(Math.max(0, rest.length - half));
      const start = (total + chunk.length - kept.length) % half;
      const first = Math.min(kept.length, half - start);
      ring.set(kept.subarray(0, first), start);
      ring.set(kept.subarray(first), 0);
      total += chunk.length;
    },
    text() {
      const start = head.subarray(0, Math.min(total, half));
      const ringed = Math.min(half, Math.max(0, total - half));
      const turn = total > 2 * half ? total % half : 0;
      const end = Buffer.concat([ring.subarray(turn, half), ring.subarray(0, turn)]).subarray(
        0,
        ringed,
      );
      if (total <= 2 * half) return clean(Buffer.concat([start, end]).toString("utf8"));
      const before = start.subarray(0, cutAfter(start));
      const after = end.subarray(cutBefore(end));
      const missing = total - before.length - after.length;
      const missingLines = lines - newlines(before) - newlines(after);
      const notice = `[... ${missing} bytes (${missingLines} lines) of output left out ...]`;
      const opening = clean(before.toString("utf8"));
      return `${opening}${opening.endsWith("\n") ? "" : "\n"}${notice}\n${clean(after.toString("utf8"))}`;
    },
  };
}

/** Where to end a head: after its last whole line, or at a whole character when that would lose half of it. */
function cutAfter(head: Buffer): number {
  const line = head.lastIndexOf(10) + 1;
  if (line > head.length / 2) return line;
  let end = head.length;
  for (let back = 1; back <= Math.min(3, head.length); back += 1) {
    const byte = head[head.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const width = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      if (width > back) end = head.length - back;
      break;
    }
  }
  return end;
}

/** Where to begin a tail: at its first whole line, or at a whole character. */
function cutBefore(tail: Buffer): number {
  const line = tail.indexOf(10) + 1;
  if (line > 0 && line < tail.length / 2) return line;
  let start = 0;
  while (start < 3 && ((tail[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return start;
}

function newlines(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if (byte === 10) count += 1;
  return count;
}

const ESC = "\u001b";
const STRING_END = `(?:\u0007|${ESC}\\\\|\u009c|$)`;
/** Terminal control sequences: operating-system commands and other strings, CSI, and the short escapes. */
const SEQUENCES = new RegExp(
  [
    `(?:${ESC}\\]|\u009d)[^\u0007${ESC}\u009c\n]*${STRING_END}`,
    `(?:${ESC}[PX^_]|[\u0090\u0098\u009e\u009f])[^${ESC}\u009c\n]*${STRING_END}`,
    `(?:${ESC}\\[|\u009b)[0-?]*[ -/]*[@-~]`,
    `${ESC}[ -/]*[0-~]`,
  ].join("|"),
  "g",
);
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Text without terminal escapes and control characters; carriage returns become line ends. */
export function clean(text: string): string {
  return text
    .replace(SEQUENCES, "")
    .replace(/\r+\n?/g, "\n")
    .replace(CONTROLS, "");
}
