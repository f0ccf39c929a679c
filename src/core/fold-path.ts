/**
 * A path as the least careful file system sees it: no case, no ignorable characters, no dots and spaces at
 * the end of a name, no NTFS streams, backslashes as slashes, short names of Windows as the names they
 * stand for.
 */
export function foldPath(path: string): string {
  return foldCase(path.replace(/\p{Default_Ignorable_Code_Point}/gu, ""))
    .replaceAll("\\", "/")
    .split("/")
    .map((name) => longName(name.replace(/(?<=.):.*$/s, "").replace(/(?<![. ])[. ]+$/, "") || name))
    .join("/");
}

/** Upper case first: it joins spellings that lower case alone keeps apart, such as "ſ" and "s". */
export function foldCase(text: string): string {
  return text.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

/** Guarded names that are no short names themselves, by the six letters that Windows makes of them. */
const SHORTENED = new Map(
  [
    ".github",
    "workflows",
    "actions",
    "codeowners",
    ".husky",
    ".githooks",
    ".gitmodules",
    ".gitconfig",
  ].map((name) => [name.replaceAll(".", "").slice(0, 6), name]),
);

/** "github~1" is ".github" on a Windows disk, unless something else came first. */
function longName(name: string): string {
  const [, start = ""] = /^([^~.]{1,6})~\d+$/.exec(name) ?? [];
  return SHORTENED.get(start) ?? name;
}
