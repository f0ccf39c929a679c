import { z } from "zod";

type Node = z.core.JSONSchema.BaseSchema;

/**
 * The JSON Schema that editors use to check and complete a YAML file, as text. A key without a value is as if it were
 * not there, which a schema of zod does not know: it gets a file whose empty keys were left out.
 */
export function editorSchema(schema: z.ZodType): string {
  const whole = withEmptyKeys(z.toJSONSchema(schema, { io: "input" }));
  return `${JSON.stringify({ ...whole, type: ["object", "null"] }, null, 2)}\n`;
}

function withEmptyKeys(node: Node): Node {
  const inside = { ...node };
  if (node.properties) {
    const keys = Object.entries(node.properties).map(([key, value]) => {
      const below = typeof value === "object" ? withEmptyKeys(value) : value;
      return [key, node.required?.includes(key) ? below : orEmpty(below)] as const;
    });
    inside.properties = Object.fromEntries(keys);
  }
  if (typeof node.additionalProperties === "object")
    inside.additionalProperties = orEmpty(withEmptyKeys(node.additionalProperties));
  if (typeof node.items === "object" && !Array.isArray(node.items))
    inside.items = withEmptyKeys(node.items);
  // What is said of a group besides its keys (as `anyOf` beside `properties`) says itself what may be empty.
  if (node.anyOf && !node.properties)
    inside.anyOf = node.anyOf.map((each) =>
      typeof each === "object" ? withEmptyKeys(each) : each,
    );
  return inside;
}

function orEmpty(node: Node | boolean): Node | boolean {
  if (typeof node === "boolean") return node;
  if (node.anyOf && !node.properties) return { ...node, anyOf: [...node.anyOf, { type: "null" }] };
  if (typeof node.type === "string" && node.enum === undefined && node.const === undefined)
    return { ...node, type: [node.type, "null"] };
  const { description, ...rest } = node;
  return { ...(description && { description }), anyOf: [rest, { type: "null" }] };
}

/** A pattern that finds a word in whatever case: JSON Schema has no flag for it. */
export function anyCase(pattern: string): string {
  return pattern.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}
