import { globMatcher } from "./glob.ts";
import { codeSpan } from "./markdown.ts";
import { count } from "./messages/words.ts";
import type { ModelProfile } from "./model-profile.ts";
import type { Resolved } from "./resolve-model.ts";
import type { ModelChoice, Route } from "./route.ts";
import type { RouteRule, Verb } from "./route-rules.ts";

/** What rules look at. */
export interface RouteFacts {
  skill: string | null;
  verb: Verb;
  /** Of the issue or pull request. */
  labels: string[];
  /** Those that the task names, and those that its pull request changes. */
  paths: string[];
  /** Of the task. */
  characters: number;
  /** Login of who asked. */
  author: string;
}

/** Who may choose, the first that does wins: the person by flags, the repository, the operator. */
export interface Choosers {
  flags: { model?: string; effort?: string };
  repository: { routes: RouteRule[]; model?: string | undefined; effort?: string | undefined };
  operator: { routes: RouteRule[]; usual: ModelChoice };
}

/** The route of a job, with what is known of its first model; or why there is none, as a sentence without its full stop. */
export type Chosen =
  | { ok: true; route: Route; profile: ModelProfile }
  | { ok: false; problem: string };

/**
 * Chooses the models of a job: by `--model`, else by the first rule that matches, the repository's before
 * the operator's, else as configured. The same facts always give the same route.
 */
export function chooseRoute(
  facts: RouteFacts,
  choosers: Choosers,
  resolve: (name: string) => Resolved,
): Chosen {
  const { flags } = choosers;
  const plan = planned(facts, choosers);
  const [first, ...others] = plan.choices;
  // Who asks for an effort asks for it of whichever model was chosen.
  const wanted = flags.effort === undefined ? first : { ...first, effort: flags.effort };
  const why =
    flags.effort === undefined ? plan.why : `${plan.why}; --effort asked for ${flags.effort}`;
  const named: ModelChoice[] = [];
  let profile: ModelProfile | null = null;
  for (const choice of [wanted, ...others, ...(plan.escalation ? [plan.escalation.to] : [])]) {
    const usable = checkChoice(choice, resolve);
    if (!usable.ok) return { ok: false, problem: `${usable.problem} (chosen by ${plan.rule})` };
    profile ??= usable.profile;
    named.push({ model: usable.profile.name, effort: choice.effort });
  }
  const escalated = plan.escalation ? named.pop() : undefined;
  const [head, ...fallback] = named;
  if (head === undefined || profile === null) throw new Error("a plan without a choice");
  const escalation =
    plan.escalation && escalated
      ? { afterFailedChecks: plan.escalation.afterFailedChecks, to: escalated }
      : null;
  return {
    ok: true,
    route: {
      ...{ rule: plan.rule, why, choices: [head, ...fallback], escalation },
      ...(flags.effort !== undefined && { effort: flags.effort }),
    },
    profile,
  };
}

/** Whether a model can be used with an effort. */
export function checkChoice(choice: ModelChoice, resolve: (name: string) => Resolved): Resolved {
  const found = resolve(choice.model);
  if (!found.ok || choice.effort === null) return found;
  const { efforts } = found.profile;
  if (efforts.includes(choice.effort)) return found;
  const takes =
    efforts.length > 0
      ? `it takes ${efforts.map(codeSpan).join(", ")}`
      : "it takes none; leave the effort out, or have the server's `draftsmith.yml` list its `efforts`";
  return {
    ok: false,
    problem: `the model ${codeSpan(choice.model)} does not take the effort ${codeSpan(choice.effort)}; ${takes}`,
  };
}

/** All models that a rule names, each with its place in the rule. */
export function choicesOf({
  use,
  escalate,
}: RouteRule): { path: PropertyKey[]; choice: ModelChoice }[] {
  return [
    { path: ["use", "model"], choice: choiceOf(use) },
    ...use.fallback.map((each, at) => ({ path: ["use", "fallback", at], choice: choiceOf(each) })),
    ...(escalate ? [{ path: ["escalate", "model"], choice: choiceOf(escalate) }] : []),
  ];
}

function planned(facts: RouteFacts, { flags, repository, operator }: Choosers): Route {
  if (flags.model !== undefined) {
    return alone("--model", "the person who asked named the model", { model: flags.model });
  }
  const ruled =
    firstMatch(repository.routes, facts, "rule") ??
    firstMatch(operator.routes, facts, "server rule");
  if (ruled) return ruled;
  const { model, effort } = repository;
  if (model !== undefined) {
    return alone("model", "no rule matches, and .github/codex.yml names it", { model, effort });
  }
  const { usual } = operator;
  const choice = { model: usual.model, effort: effort ?? usual.effort };
  return alone("default", "no rule matches", choice);
}

function alone(rule: string, why: string, choice: Wanted): Route {
  return { rule, why, choices: [choiceOf(choice)], escalation: null };
}

type Wanted = { model: string; effort?: string | null | undefined };

function choiceOf({ model, effort }: Wanted): ModelChoice {
  return { model, effort: effort ?? null };
}

function firstMatch(
  rules: RouteRule[],
  facts: RouteFacts,
  kind: "rule" | "server rule",
): Route | null {
  for (const [at, rule] of rules.entries()) {
    const held = reasons(rule.match, facts);
    if (held === null) continue;
    const label = `${kind} ${at + 1}`;
    const { use, escalate } = rule;
    return {
      rule: rule.name === undefined ? label : `${label} (${rule.name})`,
      why: held.length === 0 ? "it holds for every task" : held.join(" and "),
      choices: [choiceOf(use), ...use.fallback.map(choiceOf)],
      escalation: escalate
        ? { afterFailedChecks: escalate.after_failed_checks, to: choiceOf(escalate) }
        : null,
    };
  }
  return null;
}

/** Why a rule matches, a clause for each of its conditions; null when one does not hold. */
function reasons(match: RouteRule["match"], facts: RouteFacts): string[] | null {
  const { skill, verb, labels, paths, author } = match;
  const held: (string | null)[] = [];
  if (skill) {
    const found = oneOf(skill, [facts.skill ?? "none"]);
    held.push(found && (facts.skill === null ? "there is no skill" : `skill is ${found}`));
  }
  if (verb) held.push(verb.includes(facts.verb) ? VERB[facts.verb] : null);
  if (labels) {
    const found = oneOf(labels, facts.labels);
    held.push(found && `the label is ${found}`);
  }
  if (paths) {
    const found = paths.find((glob) => facts.paths.some(globMatcher(glob)));
    held.push(found === undefined ? null : `a path matches ${found}`);
  }
  if (match.longer_than !== undefined) {
    const more = facts.characters > match.longer_than;
    held.push(more ? `the task has more than ${count(match.longer_than, "character")}` : null);
  }
  if (match.shorter_than !== undefined) {
    const fewer = facts.characters < match.shorter_than;
    held.push(fewer ? `the task has fewer than ${count(match.shorter_than, "character")}` : null);
  }
  if (author) {
    const found = oneOf(author, [facts.author]);
    held.push(found && `${found} asked`);
  }
  const holding = held.filter((each) => each !== null);
  return holding.length === held.length ? holding : null;
}

const VERB: Record<Verb, string> = {
  task: "it is a new task",
  follow_up: "it follows up on a pull request",
  continue: "it goes on after it stopped",
  ask: "it is a question",
  plan: "it asks for a plan",
};

/** The first of a rule's values that is among the given ones; GitHub's labels and logins ignore case. */
function oneOf(values: string[], given: string[]): string | null {
  const there = given.map((each) => each.toLowerCase());
  return values.find((each) => there.includes(each.toLowerCase())) ?? null;
}

/** Paths that a text names, at most 100: what has a slash or an extension, and is no address. */
export function pathsIn(text: string): string[] {
  const found = text.matchAll(/(?<![\w/:.@+-])\.{0,2}\/?[\w@.+-]*\w(?:\/[\w@.+-]*\w)*\/?/g);
  const named = [...found]
    .map(([path]) => path.replace(/^(?:\.{1,2}\/)+|^\/|\/$/g, ""))
    .filter((path) => path.includes("/") || /^[\w@.+-]*[\w@+-]{2}\.[a-z]\w{0,9}$/i.test(path));
  return [...new Set(named)].slice(0, 100);
}
