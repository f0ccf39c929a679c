import { codeSpan, inertText } from "../markdown-inline.ts";
import type { ModelChoice, Route } from "../route.ts";
import { count } from "./words.ts";

/** Which models a job works with and why, as a line of Markdown for boards and pull requests. */
export function routeText(route: Route): string {
  const [first, ...fallback] = route.choices;
  const more = [
    ...(fallback.length > 0 ? [`else ${fallback.map(choiceText).join(", ")}`] : []),
    ...(route.escalation
      ? [
          `${choiceText(route.escalation.to)} after ${count(route.escalation.afterFailedChecks, "failed round")} of checks`,
        ]
      : []),
  ];
  const then = more.length > 0 ? `; ${more.join("; ")}` : "";
  return `${choiceText(first)} by ${inertText(route.rule, { oneLine: true })}, because ${inertText(route.why, { oneLine: true })}${then}`;
}

function choiceText({ model, effort }: ModelChoice): string {
  return effort === null ? codeSpan(model) : `${codeSpan(model)} (${effort} effort)`;
}
