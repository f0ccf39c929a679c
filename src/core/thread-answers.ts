/** What an agent says of one thread of a review. */
export interface ThreadAnswer {
  text: string;
  /** Whether it says that it did what was asked there. */
  done: boolean;
}

/** `Thread 2: done: …`, with or without marks of a list or of emphasis around it. */
const LINE = /^[\s>*_+-]*thread\s+#?(\d{1,3})[*_]*\s*[:.–—-]+[*_\s]*(.*)$/i;
const NOT = /^(?:not done|not changed|no change|open|declined|cannot|can't|won't|left)\b/i;

/** Takes the lines that answer threads out of a report; what follows such a line belongs to it until an empty one. */
export function takeAnswers(report: string): { rest: string; answers: Map<number, ThreadAnswer> } {
  const answers = new Map<number, ThreadAnswer>();
  const rest: string[] = [];
  let current: number | null = null;
  for (const line of report.split("\n")) {
    const [, number, text = ""] = LINE.exec(line) ?? [];
    if (number !== undefined) {
      current = Number(number);
      answers.set(current, answerOf(text));
      continue;
    }
    const before = current === null ? undefined : answers.get(current);
    if (line.trim() === "" || before === undefined || current === null) {
      current = null;
      rest.push(line);
    } else answers.set(current, { ...before, text: `${before.text}\n${line.trim()}`.trim() });
  }
  return { rest: rest.join("\n").trim(), answers };
}

function answerOf(text: string): ThreadAnswer {
  const [, verdict = ""] = /^(done|not done)\b[:.,\s–—-]*/i.exec(text) ?? [];
  const words = text.slice(/^(?:done|not done)\b[:.,\s–—-]*/i.exec(text)?.[0].length ?? 0).trim();
  return { text: words, done: verdict !== "" ? /^done/i.test(verdict) : !NOT.test(text) };
}
