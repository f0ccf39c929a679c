import { setImmediate } from "node:timers/promises";
import { cut } from "../agents/fence.ts";
import type { SaidText } from "../agents/prompt.ts";
import { asOf } from "../core/as-of.ts";
import { isGivenWhole } from "../core/asks.ts";
import type { Command, Job, Subject } from "../core/job.ts";
import type { GitHub, Remark } from "../core/ports.ts";
import type { LeftOut, Sources, Stripped } from "../core/sources.ts";
import { type VisibleText, visibleMarkdown, visibleTitle } from "../core/visible/text.ts";
import type { Author, Authors } from "./authors.ts";

/** Characters of each text that are shown, and of all comments together. */
const MAX_BODY = 20_000;
const MAX_COMMENT = 8_000;
const MAX_COMMENTS = 40_000;
/** Outsiders have room of their own, so that a flood of theirs pushes nobody else's words out. */
const MAX_OUTSIDE = 20_000;
/** Characters of a comment that are read: hidden ones cost time, too. */
const MAX_SOURCE = 24_000;
/** Authors that are named where their comments are left out. */
const MAX_NAMES = 5;

export interface SaidDeps {
  github: GitHub;
  authors: Authors;
}

/**
 * What was said on the issue or pull request of a command, as it stood when the command was given and
 * as people see it. Words of people without write access are left out unless the repository wants them.
 */
export async function whatWasSaid(
  job: Job,
  command: Command,
  isOurs: boolean,
  deps: SaidDeps,
): Promise<{ texts: SaidText[]; sources: Sources }> {
  const { outsiders } = job.config.context;
  const authorOf = (account: Remark["author"]) => deps.authors(deps.github, command, account);
  const sources: Sources = {
    on: command.pull ? "pull request" : "issue",
    subject: "untold",
    revision: command.subject?.revision ?? null,
    asOf: command.askedAt,
    comments: { shown: 0, untrusted: 0 },
    leftOut: [],
    stripped: [],
  };
  const subject = isOurs ? null : command.subject;
  const subjectAuthor = subject && (await authorOf(subject.author));
  const texts: SaidText[] = [];
  if (isOurs) sources.subject = "own";
  else if (!subject || !subjectAuthor) sources.leftOut.push({ what: "subject", why: "untold" });
  // Who gave the whole issue as a task answers for its text.
  else if (subjectAuthor.trusted || outsiders || isGivenWhole(command.way)) {
    sources.subject = subjectAuthor.trusted ? "shown" : "shown_untrusted";
    texts.push(subjectText(subject, subjectAuthor, sources));
  } else {
    const { name, role } = subjectAuthor;
    sources.subject = "left_out";
    sources.leftOut.push({ what: "subject", why: "outsider", author: { name, role } });
  }

  const { remarks, unread } = await deps.github.conversation(job.repo, job.issue, {
    way: command.way,
    at: command.askedAt,
    isPull: command.pull !== null,
  });
  const others = remarks.filter((remark) => !isCommand(remark, command) && !isBoard(remark));
  const stood = others.map((remark) => ({ remark, when: asOf(remark, command) }));
  const count = (when: string) => stood.filter((each) => each.when === when).length;
  // The newest first: they get the room, and their authors are asked about.
  const before = stood.filter(({ when }) => when === "before").reverse();
  const written = await Promise.all(
    before.map(async ({ remark }) => ({ remark, author: await authorOf(remark.author) })),
  );
  const heard = written.filter(({ author }) => author.trusted || outsiders);
  const comments = await commentTexts(heard, sources.stripped);
  sources.comments = {
    shown: comments.length,
    untrusted: comments.filter(({ author }) => !author.trusted).length,
  };
  sources.leftOut.push(
    ...unheard(written.filter((each) => !heard.includes(each)).map(({ author }) => author)),
    ...leftOut("later", count("later")),
    ...leftOut("edited", count("edited")),
    ...leftOut("older", unread + heard.length - comments.length),
  );
  return { texts: [...texts, ...comments], sources };
}

/** The comment that holds the command is its task already. */
function isCommand({ kind, id }: Remark, { way }: Command): boolean {
  return way.kind === (kind === "comment" ? "comment" : "review_comment") && id === way.id;
}

/** Our own boards and answers tell an agent nothing. */
function isBoard({ author, body }: Remark): boolean {
  return author?.type === "Bot" && body.startsWith("<!-- draftsmith:");
}

function subjectText(subject: Subject, author: Author, { on, stripped }: Sources): SaidText {
  const title = seen(visibleTitle(subject.title), `title of the ${on}`, stripped);
  const body = seen(visibleMarkdown(subject.body, author), `text of the ${on}`, stripped);
  const text = `Title: ${title}\n\n${cut(body, MAX_BODY)}`;
  return { kind: "subject", author, at: null, place: null, text };
}

/** Comments as far as there is room, newest first; gives the oldest first. */
async function commentTexts(
  heard: { remark: Remark; author: Author }[],
  stripped: Stripped[],
): Promise<SaidText[]> {
  const texts: SaidText[] = [];
  const room = { trusted: MAX_COMMENTS, untrusted: MAX_OUTSIDE };
  for (const { remark, author } of heard) {
    const whose = author.trusted ? "trusted" : "untrusted";
    if (room[whose] <= 0) continue;
    // Hundreds of them are read one by one: the server goes on answering in between.
    await setImmediate();
    const { kind, place } = remark;
    const where = `${kind === "review" ? "review comment" : "comment"} by ${author.name}`;
    const { trusted } = author;
    const shown = seen(visibleMarkdown(remark.body, { trusted, max: MAX_SOURCE }), where, stripped);
    const text = cut(shown, Math.min(MAX_COMMENT, room[whose]));
    // What is hidden takes room too, so that reading it has an end.
    room[whose] -= Math.max(
      200,
      text.length,
      Math.ceil(Math.min(MAX_SOURCE, remark.body.length) / 10),
    );
    texts.unshift({ kind, author, place, at: remark.createdAt, text });
  }
  return texts;
}

function seen({ text, what }: VisibleText, where: string, stripped: Stripped[]): string {
  if (what.length > 0) stripped.push({ where, what });
  return text;
}

function unheard(authors: Author[]): LeftOut[] {
  if (authors.length === 0) return [];
  const names = new Map(authors.map(({ name, role }) => [name, { name, role }]));
  const shown = [...names.values()].slice(0, MAX_NAMES);
  return [{ what: "comments", why: "outsider", count: authors.length, authors: shown }];
}

function leftOut(why: "later" | "edited" | "older", count: number): LeftOut[] {
  return count > 0 ? [{ what: "comments", why, count }] : [];
}
