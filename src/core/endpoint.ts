/** What the address of one call ends in, as a regular expression; it is added to the base URL. */
export const ENDPOINT = "/(?:completions|responses|models)/*\\s*$";

/** Whether a base URL is the address of one call, of which there would be none below it. */
export function isEndpoint(url: string): boolean {
  return new RegExp(ENDPOINT).test(url);
}

/** What is wrong with such a URL, and what to write. */
export const END_EARLIER =
  "must end before `/chat/completions`, `/responses` or `/models`, which are added to it, mostly in `/v1`";
