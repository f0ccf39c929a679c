import { codeSpan, inertText } from "../markdown-inline.ts";
import type { ModelChoice, Route } from "../route.ts";
import type { SkillPin } from "../skill.ts";
import { skillAgainst } from "../skill-manifest.ts";
import { count } from "./words.ts";

/**
 * Which models a job works with and why, as a line of Markdown for boards and pull requests; those that one of
 * its skills is not written for are named as left out.
 */
export function routeText(
  { choices, escalation, rule, why }: Route,
  pins: readonly Pick<SkillPin, "name" | "manifest">[] = [],
): string {
  const against = ({ model }: ModelChoice) => skillAgainst(pins, model);
  const [first = choices[0], ...fallback] = choices.filter((each) => against(each) === null);
  const all = escalation === null ? choices : [...choices, escalation.to];
  const leftOut = new Set(
    all.flatMap((each) => {
      const skill = against(each);
      if (skill === null) return [];
      return [
        `${codeSpan(each.model)} left out, as the skill ${codeSpan(skill)} is not written for it`,
      ];
    }),
  );
  const more = [
    ...(fallback.length > 0 ? [`else ${fallback.map(choiceText).join(", ")}`] : []),
    ...(escalation && against(escalation.to) === null
      ? [
          `${choiceText(escalation.to)} after ${count(escalation.afterFailedChecks, "failed round")} of checks`,
        ]
      : []),
    ...leftOut,
  ];
  const then = more.length > 0 ? `; ${more.join("; ")}` : "";
  return `${choiceText(first)} by ${inertText(rule, { oneLine: true })}, because ${inertText(why, { oneLine: true })}${then}`;
}

function choiceText({ model, effort }: ModelChoice): string {
  return effort === null ? codeSpan(model) : `${codeSpan(model)} (${effort} effort)`;
}
