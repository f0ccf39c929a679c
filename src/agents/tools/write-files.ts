import { MAX_FILE_BYTES, reasonOf, runOnFile } from "./file-access.ts";
import type { ToolContext } from "./tool.ts";

/** What is to become of a file; `text` null: it goes. A new one gets the mode of the file `like`. */
export interface FileChange {
  path: string;
  text: string | null;
  like: string | null;
}

/**
 * Everything is laid out beside the files and looked at before the first of them is touched. What fails
 * after that is the disk, and said so.
 */
const SCRIPT = `
set -e
laid=$(mktemp -d)
trap 'rm -rf "$laid"' EXIT
cat >"$laid/all"
refuse() { echo "$1: $2" >&2; exit 1; }
lay() {
  nth=0 from=1
  while [ $# -gt 0 ]; do
    nth=$((nth + 1))
    if [ -d "$2" ]; then refuse "$2" "it is a directory"; fi
    if [ "$1" = put ]; then
      if [ -e "$2" ] && [ ! -f "$2" ]; then refuse "$2" "it is no ordinary file"; fi
      mkdir -p "$(dirname "$2")"
      if [ -e "$2" ]; then place=$2; else place=$(dirname "$2"); fi
      if [ ! -w "$place" ]; then refuse "$2" "it may not be written"; fi
      tail -c "+$from" <"$laid/all" | head -c "$3" >"$laid/$nth"
      if [ "$(wc -c <"$laid/$nth")" -ne "$3" ]; then refuse "$2" "it could not be laid out"; fi
      from=$((from + $3))
    elif [ ! -w "$(dirname "$2")" ]; then refuse "$2" "it may not be deleted"
    fi
    shift 4
  done
}
lay "$@"
echo laid
nth=0
while [ $# -gt 0 ]; do
  nth=$((nth + 1))
  if [ "$1" = put ]; then
    if [ -e "$4" ] && [ ! -e "$2" ]; then cp -p "$4" "$2"; fi
    cat "$laid/$nth" >"$2"
  else rm -f "$2"
  fi
  shift 4
done
echo done
`;

/** Writes and deletes files together. Gives null, or why it did not, and whether a part of it was done. */
export async function writeFiles(
  context: ToolContext,
  changes: FileChange[],
): Promise<{ reason: string; begun: boolean } | null> {
  const texts = changes.map(({ text }) => Buffer.from(text ?? ""));
  const large = changes.find((_, at) => (texts[at]?.length ?? 0) > MAX_FILE_BYTES);
  if (large) {
    const reason = `${large.path} would be larger than ${MAX_FILE_BYTES / 1e6} MB.`;
    return { reason, begun: false };
  }
  const args = changes.flatMap(({ path, text, like }, at) => [
    text === null ? "drop" : "put",
    `./${path}`,
    `${texts[at]?.length ?? 0}`,
    like === null ? "" : `./${like}`,
  ]);
  const result = await runOnFile(context, SCRIPT, args, Buffer.concat(texts));
  const said = result.output.split("\n");
  if (result.exitCode === 0 && said.includes("done")) return null;
  return { reason: reasonOf(result), begun: said.includes("laid") };
}
