const MICRO = 1_000_000;
/** Larger ones are slips of the keyboard. */
const MOST_DOLLARS = 1_000_000;

/** An amount as somebody wrote it, in micro-dollars, or what is wrong with it: a clause that names the remedy. */
export type Amount = { ok: true; microDollars: number } | { ok: false; problem: string };

/** Reads an amount of dollars: `2`, `$2.50`, `0.5`, or a number of a configuration file. */
export function dollars(given: string | number): Amount {
  const text = String(given).trim();
  const [, whole, part = ""] = /^\$?\s?(\d*)(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole === undefined || whole + part === "") {
    return wrong("is no amount of dollars; write it in digits, such as 2 or 2.50");
  }
  if (part.replace(/0+$/, "").length > 6) {
    return wrong("has more than 6 decimals; a millionth of a dollar is the least that is counted");
  }
  const microDollars = Number(whole) * MICRO + Number(part.slice(0, 6).padEnd(6, "0"));
  if (microDollars === 0) {
    return wrong("would allow nothing; write an amount above 0, such as 2");
  }
  if (microDollars > MOST_DOLLARS * MICRO) {
    return wrong(`is too much; write at most ${MOST_DOLLARS}`);
  }
  return { ok: true, microDollars };
}

/** Micro-dollars for a person: to the cent, and to a hundredth of it below 10 cents. */
export function money(microDollars: number): string {
  if (microDollars > 0 && microDollars < 50) return "under $0.0001";
  return `$${(microDollars / MICRO).toFixed(microDollars < 100_000 ? 4 : 2)}`;
}

function wrong(problem: string): Amount {
  return { ok: false, problem };
}
