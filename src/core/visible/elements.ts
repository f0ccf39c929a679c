const set = (names: string) => new Set(names.split(" "));

/** Elements whose contents a page does not show, shows only to some, or draws instead of writing. */
export const UNSEEN = set(
  "script style template noscript noframes noembed head title picture video audio svg math object " +
    "embed iframe frameset canvas map datalist select option optgroup dialog rp xmp plaintext applet",
);

/**
 * Elements that CommonMark 0.29, which GitHub follows, and later versions read differently: where one
 * stands, nobody can tell for all of them what shows behind it. They bear names that no version knows
 * while a page is read, so that the parser begins no block with them.
 */
const READ_DIFFERENTLY = "textarea|search";
export const DISPUTED = new Set(READ_DIFFERENTLY.split("|").map((name) => `${name}-`));
export const DISPUTED_TAG = new RegExp(`<\\/?(?:${READ_DIFFERENTLY})-(?=[\\s/>]|$)`, "i");

/** A source with such elements renamed. */
export function renamed(source: string): string {
  return source.replace(new RegExp(`<(/?)(${READ_DIFFERENTLY})(?=[\\s/>]|$)`, "gi"), "<$1$2-");
}

/** What is shown of it, with their own names again. */
export function renamedBack(text: string): string {
  return text.replace(new RegExp(`<(/?)(${READ_DIFFERENTLY})-(?=[\\s/>]|$)`, "gi"), "<$1$2");
}

/** Elements without an end. */
export const VOID = set(
  "area base br col embed frame hr img input link meta param source track wbr",
);

/** Elements that begin a line of their own. */
export const BLOCK = set(
  "address article aside blockquote center dd div dl dt fieldset figcaption figure footer form h1 h2 " +
    "h3 h4 h5 h6 header li main nav ol p pre section table tbody td tfoot th thead tr ul",
);

/** Ends of lines. */
export const BREAKS = set("br hr wbr");

/** Elements that only give words a look; with those above, all that can go without a word about it. */
export const PLAIN = set(
  "a abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark q ruby rt rb rtc s samp " +
    "small span strike strong sub sup time tt u var caption colgroup",
);

/** Declarations of a `style` that surely hide nothing. */
const HARMLESS_STYLE =
  /^(?:\s*(?:text-align|vertical-align|float|border[\w-]*|margin[\w-]*|padding[\w-]*)\s*:[\w\s.%#]{0,60}(?:;|$))*\s*$/i;

/** Whether an element with these attributes, or any other than harmless style, may be out of sight. */
export function hides(name: string, attributes: string): boolean {
  if (/(?:^|[\s"'/])hidden(?:[\s=/]|$)/i.test(attributes)) return true;
  if (name === "font" && /color|size/i.test(attributes)) return true;
  if (/class\s*=[^=]{0,500}(?:sr-only|hidden|invisible|d-none|screen-reader)/i.test(attributes)) {
    return true;
  }
  const style = /(?:^|[\s"'/])style\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]*))/i.exec(attributes);
  return style !== null && !HARMLESS_STYLE.test(style[1] ?? style[2] ?? style[3] ?? "");
}
