import { describe, expect, it } from "vitest";
import { renderBoard } from "../../../src/core/messages/board.ts";
import { leftOutNotes, sourcesSection } from "../../../src/core/messages/sources.ts";
import type { Sources } from "../../../src/core/sources.ts";
import { aCommand, aJob } from "../../support/store-rows.ts";

const plain: Sources = {
  on: "issue",
  subject: "shown",
  revision: "0123456789ab",
  asOf: "2026-03-01T10:00:00Z",
  comments: { shown: 2, untrusted: 0 },
  leftOut: [],
  stripped: [],
};

const eve = { name: "eve", role: "read access" };

const guarded: Sources = {
  ...plain,
  on: "pull request",
  subject: "left_out",
  comments: { shown: 0, untrusted: 0 },
  leftOut: [
    { what: "subject", why: "outsider", author: eve },
    {
      what: "comments",
      why: "outsider",
      count: 3,
      authors: [eve, { name: "helper[bot]", role: "bot" }],
    },
    { what: "comments", why: "later", count: 1 },
    { what: "comments", why: "edited", count: 2 },
    { what: "comments", why: "older", count: 40 },
  ],
  stripped: [
    { where: "text of the pull request", what: ["2 HTML comments", "1 image text"] },
    { where: "comment by ada", what: ["7 tag characters"] },
  ],
};

describe("reviewers are told", () => {
  it("what the agent read", () => {
    expect(sourcesSection(plain)).toEqual([
      "The agent was told, besides its task: the text of the issue as its webhook told it (revision `0123456789ab`) and 2 comments as of `2026-03-01T10:00:00Z`.",
    ]);
  });

  it("what was kept from it, and how to let it through", () => {
    expect(sourcesSection(guarded).join("\n")).toMatchInlineSnapshot(`
      "The agent was told, besides its task: 0 comments as of \`2026-03-01T10:00:00Z\`.

      - Left out: the title and text of the pull request, by \`eve\` (read access), who has no write access.
      - Left out: 3 comments by authors without write access: \`eve\` (read access), \`helper[bot]\` (bot).
      - Left out: 1 comment written after the command.
      - Left out: 2 comments edited after the command.
      - Left out: 40 older comments.

      \`context: { outsiders: true }\` in \`.github/codex.yml\` shows such texts to the agent, marked as untrusted.

      Taken out before the agent read it, because people do not see it:

      - \`text of the pull request\`: 2 HTML comments, 1 image text
      - \`comment by ada\`: 7 tag characters"
    `);
  });

  it("what it read as untrusted", () => {
    const sources: Sources = {
      ...plain,
      subject: "shown_untrusted",
      comments: { shown: 5, untrusted: 4 },
    };
    expect(sourcesSection(sources).join("\n")).toMatchInlineSnapshot(
      `"The agent was told, besides its task: the text of the issue as its webhook told it (revision \`0123456789ab\`), marked as untrusted and 5 comments as of \`2026-03-01T10:00:00Z\`, 4 of them marked as untrusted."`,
    );
  });

  it("which of many texts held something hidden, in a few lines", () => {
    const stripped = Array.from({ length: 60 }, (_, at) => ({
      where: `comment by person-${at}`,
      what: ["1 soft hyphen"],
    }));
    const lines = sourcesSection({ ...plain, stripped });
    expect(lines).toHaveLength(15);
    expect(lines.at(-1)).toBe("- … and in 50 more texts");
  });

  it("on the board when no pull request tells it", () => {
    const command = aCommand("018f");
    const board = (sources: Sources | null, publication: object = {}) =>
      renderBoard(command, [
        aJob("0190", command, {
          state: "no_change",
          reason: "Nothing to do",
          sources,
          ...publication,
        }),
      ]);
    expect(board(guarded)).toContain("- Left out: 1 comment written after the command.");
    expect(board(plain)).not.toContain("The agent was told");
    expect(board(null)).not.toContain("The agent was told");
    const pull = { pull: 3, url: "u", headSha: "b".repeat(40), draft: true };
    expect(board(guarded, { publication: pull })).not.toContain("Left out");
  });
});

it("the model is told what is missing, without names that somebody chose", () => {
  const notes = leftOutNotes(guarded);
  expect(notes).toEqual([
    "the title and text of the pull request, whose author has no write access here",
    "3 comments by authors without write access",
    "1 comment written after the command",
    "2 comments edited after the command",
    "40 older comments",
  ]);
  expect(leftOutNotes({ ...plain, leftOut: [{ what: "subject", why: "untold" }] })).toEqual([
    "the title and text of the issue, which its webhook did not tell",
  ]);
});
