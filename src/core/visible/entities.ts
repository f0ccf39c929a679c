import MarkdownIt from "markdown-it";
import { visibleCharacters } from "./characters.ts";
import { createTally, type Tally } from "./tally.ts";

const { unescapeAll } = new MarkdownIt().utils;

/** Text of raw HTML with its entities decoded. */
export function decoded(html: string): string {
  // Backslashes mean nothing in HTML, but something to the decoder.
  return html.includes("&") ? unescapeAll(html.replaceAll("\\", "\\\\")) : html;
}

/** Text without entities, however often encoded, that stand for characters nobody sees. */
export function withoutHiddenEntities(text: string, tally: Tally): string {
  return text.replace(
    /&(?:amp;)*(#[xX]?[0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{1,31});?/g,
    (entity: string, name: string) => {
      const sign = decoded(`&${name};`);
      if (sign === `&${name};` || visibleCharacters(sign, createTally()).trim() !== "")
        return entity;
      tally.add("entity of an invisible character");
      return "";
    },
  );
}
