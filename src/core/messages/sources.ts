import { codeSpan } from "../markdown.ts";
import type { LeftOut, Sources, Speaker } from "../sources.ts";
import { count } from "./words.ts";

/** Texts whose hidden parts are listed one by one. */
const MAX_STRIPPED = 10;

/** What the agent was told and what was kept from it, for reviewers; Markdown lines. */
export function sourcesSection(sources: Sources): string[] {
  const { on, subject, revision, comments, asOf, leftOut, stripped } = sources;
  const shown = {
    shown: `the text of the ${on} as its webhook told it (revision ${codeSpan(revision ?? "")})`,
    shown_untrusted: `the text of the ${on} as its webhook told it (revision ${codeSpan(revision ?? "")}), marked as untrusted`,
    own: "the task this pull request was opened for",
    left_out: null,
    untold: null,
  }[subject];
  const marked =
    comments.untrusted > 0 ? `, ${comments.untrusted} of them marked as untrusted` : "";
  const told = [shown, `${count(comments.shown, "comment")} as of ${codeSpan(asOf)}${marked}`];
  const outsiders = leftOut.some(({ why }) => why === "outsider");
  return [
    `The agent was told, besides its task: ${told.filter((each) => each !== null).join(" and ")}.`,
    ...(leftOut.length > 0
      ? ["", ...leftOut.map((each) => `- Left out: ${named(each, on)}.`)]
      : []),
    ...(outsiders
      ? [
          "",
          "`context: { outsiders: true }` in `.github/codex.yml` shows such texts to the agent, marked as untrusted.",
        ]
      : []),
    ...(stripped.length > 0
      ? [
          "",
          "Taken out before the agent read it, because people do not see it:",
          "",
          ...stripped
            .slice(0, MAX_STRIPPED)
            .map(({ where, what }) => `- ${codeSpan(where)}: ${what.join(", ")}`),
          ...(stripped.length > MAX_STRIPPED
            ? [`- … and in ${count(stripped.length - MAX_STRIPPED, "more text")}`]
            : []),
        ]
      : []),
  ];
}

/** What was left out, for the model: without names, which those who chose them could have made a message. */
export function leftOutNotes({ on, leftOut }: Sources): string[] {
  return leftOut.map((each) => {
    if (each.what === "subject" && each.why === "outsider") {
      return `the title and text of the ${on}, whose author has no write access here`;
    }
    return clause(each, on);
  });
}

function named(each: LeftOut, on: Sources["on"]): string {
  if (each.why !== "outsider") return clause(each, on);
  if (each.what === "subject") {
    return `the title and text of the ${on}, by ${speaker(each.author)}, who has no write access`;
  }
  return `${clause(each, on)}: ${each.authors.map(speaker).join(", ")}`;
}

function clause(each: LeftOut, on: Sources["on"]): string {
  switch (each.why) {
    case "untold":
      return `the title and text of the ${on}, which its webhook did not tell`;
    case "outsider":
      return each.what === "subject"
        ? `the title and text of the ${on}`
        : `${count(each.count, "comment")} by authors without write access`;
    case "later":
      return `${count(each.count, "comment")} written after the command`;
    case "edited":
      return `${count(each.count, "comment")} edited after the command`;
    case "older":
      return `${count(each.count, "older comment")}`;
  }
}

function speaker({ name, role }: Speaker): string {
  return `${codeSpan(name)} (${role})`;
}
