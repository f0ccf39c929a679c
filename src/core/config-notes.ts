import { type Budgets, capsOf } from "./budgets.ts";
import { checkChoice, choicesOf } from "./choose-route.ts";
import { didYouMean } from "./did-you-mean.ts";
import { codeSpan } from "./markdown.ts";
import { nameText, shorten } from "./messages/words.ts";
import { money } from "./money.ts";
import type { RepoConfig } from "./repo-config.ts";
import type { Resolved } from "./resolve-model.ts";
import type { RouteRule } from "./route-rules.ts";
import { NO_SKILL } from "./skill.ts";

/** More of them, or longer ones, would hide the board they stand on. */
const MAX_NOTES = 5;
const MAX_NOTE = 400;

/**
 * What `.github/codex.yml` says in vain on this server, though nothing that was asked for is refused by it:
 * amounts above the server's, models that rules name and nobody offers. Sentences without their full stops.
 */
export function configNotes(
  { budget, routes, model, effort }: RepoConfig,
  server: { budgets: Budgets; resolve: (name: string) => Resolved },
): string[] {
  const own = capsOf({ job: "none", command: "none", repository_day: "none" }, budget);
  const caps = capsOf(server.budgets, {});
  const amounts = AMOUNTS.flatMap(({ key, cap }) => {
    const [asked, most] = [own[cap], caps[cap]];
    return asked === null || most === null || asked <= most
      ? []
      : [`\`budget.${key}\` is ${money(asked)}, and the server's ${money(most)} hold`];
  });
  const named = [
    ...routes.flatMap((rule, at) =>
      choicesOf(rule).map(({ choice }) => ({ where: `${ruleName(rule, at)} matches`, choice })),
    ),
    ...(model === undefined
      ? []
      : [{ where: "no rule matches", choice: { model, effort: effort ?? null } }]),
  ];
  const unusable = named.flatMap(({ where, choice }) => {
    const found = checkChoice(choice, server.resolve);
    return found.ok ? [] : [`a task that ${where} is refused: ${found.problem}`];
  });
  const notes = [...new Set([...amounts, ...unusable])].map((note) => shorten(note, MAX_NOTE));
  const more = notes.length - MAX_NOTES;
  return more > 0 ? [...notes.slice(0, MAX_NOTES), `and ${more} more like these`] : notes;
}

/** Rules that look for a skill which is none of `known`, each with what it looks for. */
export function rulesWithoutSkill(
  routes: RouteRule[],
  known: readonly string[],
): { at: number; text: string }[] {
  const names = [NO_SKILL, ...known].map((name) => name.toLowerCase());
  return routes.flatMap((rule, at) =>
    (rule.match.skill ?? [])
      .filter((name) => !names.includes(name.toLowerCase()))
      .map((name) => {
        const meant = didYouMean(name, known);
        const hint = meant === null ? "" : ` (did you mean ${codeSpan(meant)}?)`;
        const text = `${ruleName(rule, at)} is for the skill ${codeSpan(nameText(name))}, and there is none here${hint}`;
        return { at, text };
      }),
  );
}

function ruleName({ name }: RouteRule, at: number): string {
  return name === undefined ? `rule ${at + 1}` : `rule ${at + 1} (${codeSpan(nameText(name))})`;
}

const AMOUNTS = [
  { key: "job", cap: "job" },
  { key: "command", cap: "command" },
  { key: "day", cap: "repositoryDay" },
  { key: "month", cap: "repositoryMonth" },
] as const;
