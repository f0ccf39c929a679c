import { z } from "zod";
import { END_EARLIER, isEndpoint } from "../core/endpoint.ts";

/** A whole number within bounds; anything else is told `remedy`. */
export const wholeNumber = (min: number, max: number, remedy: string) =>
  z
    .string()
    .regex(/^\d+$/, remedy)
    .transform(Number)
    .pipe(z.int(remedy).min(min, remedy).max(max, remedy));

/** What is sent in a header, where spaces and line ends cannot stand. */
export const headerText = z
  .string()
  .regex(/^[\x21-\x7e]+$/, "must be in plain ASCII, without spaces and line ends");

/** Address of a server, to which paths are added. */
export const serverUrl = z
  .string()
  .refine(
    isServerUrl,
    "must be a URL such as https://models.example.com/v1, without user name, password, ? and #",
  )
  .refine((text) => !isEndpoint(text), END_EARLIER)
  .transform((text) => text.trim());

/** Address of a PostgreSQL database. */
export const databaseUrl = z
  .string()
  .refine(
    isDatabaseUrl,
    "must be a URL such as postgres://user@host:5432/draftsmith, with `:` and the password behind the user, its special characters percent-encoded (encodeURIComponent); leave it out for SQLite in DATA_DIR",
  );

const PRICES =
  "must be dollars per million tokens as input/cached/output, such as 1.25/0.125/10, with a fourth for what is written to a cache where that has a price of its own, or unpriced";
const MOST_DOLLARS = 100_000;

/** Prices of a model, or the word that it has none. */
export const prices = z
  .string()
  .regex(/^(?:unpriced|\d{1,6}(?:\.\d{1,9})?(?:\/\d{1,6}(?:\.\d{1,9})?){2,3})$/, PRICES)
  .transform((text) => {
    if (text === "unpriced") return text;
    const [input = 0, cached = 0, output = 0, cacheWrite] = text.split("/").map(Number);
    return { input, cached, output, ...(cacheWrite !== undefined && { cacheWrite }) };
  })
  .refine(
    (price) =>
      price === "unpriced" || Object.values(price).every((dollars) => dollars <= MOST_DOLLARS),
    PRICES,
  );

/** Name of a web server, with its port or without. */
export const webHost = z
  .string()
  .refine(
    (text) => /^[a-z0-9.-]+(:\d+)?$/i.test(text) && URL.canParse(`https://${text}`),
    "must be a host name, such as github.example.com, without https:// and path",
  );

function isServerUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return `${url.username}${url.password}${url.search}${url.hash}` === "";
}

function isDatabaseUrl(text: string): boolean {
  if (!/^postgres(ql)?:\/\/[^\s]+$/.test(text)) return false;
  const url = URL.parse(text);
  // What stands behind a # or an unescaped / would silently be no part of the password any more.
  if (url === null || url.hash !== "" || !/^\/[^/]+$/.test(url.pathname)) return false;
  try {
    for (const part of [url.username, url.password, url.pathname]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}
