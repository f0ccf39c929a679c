import type { TreeEntry, TreeFiles } from "../../src/core/ports.ts";

/** Files by their paths in the shape of a commit; a link is `{ link: "../target" }`. */
export function treeOf(files: Record<string, string | { link: string }>): TreeFiles {
  const all = Object.entries(files).map(([path, file]): TreeEntry & { text: string } => {
    const text = typeof file === "string" ? file : file.link;
    const mode = typeof file === "string" ? "100644" : "120000";
    return { path, mode, id: path, size: Buffer.byteLength(text), text };
  });
  return {
    async entry(path) {
      const folder = all.some((each) => each.path.startsWith(`${path}/`));
      if (folder) return { path, mode: "040000", id: path, size: 0 };
      return all.find((each) => each.path === path) ?? null;
    },
    async entries(folder, most) {
      const inside = all.filter(({ path }) => path.startsWith(`${folder}/`));
      return inside.length > most ? null : inside;
    },
    bytes: async (id) => Buffer.from(all.find((each) => each.id === id)?.text ?? ""),
  };
}
