/** What the loop itself says to the model. */

/** Noted when the conversation cannot be made to fit. */
export const TOO_LONG =
  "the conversation does not fit the model, and nothing in it is left to shorten";
export const TOO_LONG_NOW = "the conversation fits only a model that does not answer now";

/** Starts with the same words each time, so that a resumed conversation shows that it was said. */
export const WRAP_UP_START = "Notice from the controller: most of your budget is used";

/** Said once, when four fifths of the steps, tokens or budget are used; `budget` is the share that is left, if there is one. */
export function wrapUp(left: { steps: number; tokens: number; budget: number | null }): string {
  const { steps, tokens, budget } = left;
  const parts = [
    `${Math.max(0, steps)} steps`,
    `${Math.max(0, tokens)} tokens`,
    ...(budget === null ? [] : [`${Math.max(0, Math.floor(budget * 100))} % of the money`]),
  ];
  const last = parts.pop();
  return (
    `${WRAP_UP_START}. ${parts.join(", ")} and ${last} are left. Finish what you have ` +
    "begun so that it stands on its own, run the checks, and end with your report."
  );
}

/** Stands in a conversation for steps that are no longer shown, with the plan and the skills if they were among them. */
export function leftOutSteps(
  steps: number,
  plan: { text: string; status: string }[],
  skills: string[],
): string {
  const what = steps === 1 ? "Your first step is" : `Your first ${steps} steps are`;
  const gone = `Notice from the controller: to make room, the conversation is shortened. ${what} left out here; the files are as you left them.`;
  const read = skills.length > 0 ? ` Read again the skill you work by: ${skills.join(", ")}.` : "";
  if (plan.length === 0) return `${gone}${read}`;
  return [
    `${gone}${read} Your plan was:`,
    ...plan.map(({ text, status }) => `- ${status}: ${text}`),
  ].join("\n");
}

/** Stands in a result for what does not fit the model's window. */
export function cutResult(characters: number): string {
  return `\n[cut: ${characters} characters here; ask for less at a time]\n`;
}

/** Answers a reply with neither text nor a call. */
export const EMPTY_REPLY =
  "Your reply was empty. Go on with the task by calling a tool, or, if it is done, reply with your report.";

/** Answers a reply that the output limit cut off before a call was complete. */
export const CUT_REPLY =
  "Your reply was cut off at the output limit. If it was the report, write it again, shorter. " +
  "Otherwise go on in smaller steps.";

/** Answers a call that began before a restart and whose end nobody saw. */
export const INTERRUPTED =
  "This call was interrupted by a restart of the server. Nobody knows how far it came: look at the " +
  "state of the files before you repeat it.";

/** Answers the calls that are left when the loop stops. */
export const NOT_RUN = "Not run: the job was stopped.";

/** Follows the result of a call that goes round in circles. */
export function sameAgain(times: number): string {
  return `\n[The same call gave the same result ${times} times in a row. Try something else.]`;
}

/** A result without the notice that may follow it. */
export function withoutSameAgain(text: string): string {
  return text.replace(/\n\[The same call gave the same result \d+ times in a row\. .*\]$/, "");
}

/** Said when the files of a job had to be brought back and are not as the model left them. */
export function broughtBack(how: { lost: boolean; setup: string | null }): string | null {
  const lost = how.lost
    ? [
        "They stand as after an earlier call: what later calls changed is lost, so look before you go on.",
      ]
    : [];
  const setup = how.setup === null ? [] : [`${how.setup}.`];
  if (lost.length + setup.length === 0) return null;
  return [
    "Notice from the controller: the server that held your files is gone, and they were brought back on another.",
    ...lost,
    ...(setup.length > 0 ? ["The setup of the repository was run again:", ...setup] : []),
  ].join(" ");
}

/** Answers a call of a tool that does not exist. */
export function unknownTool(name: string, known: string[]): string {
  return `There is no tool ${JSON.stringify(name.slice(0, 60))}. The tools are ${known.join(", ")}.`;
}

/** Answers a call whose arguments cannot be read. */
export function brokenArguments(tool: string, why: string, truncated: boolean): string {
  const cause = truncated
    ? "The reply was cut off at its output limit: send less in one call."
    : `They have to be one JSON object (${why}).`;
  return `The arguments of ${tool} could not be read, nothing was done. ${cause}`;
}
