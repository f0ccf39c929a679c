import { z } from "zod";

/** The keys that a schema knows at a path, to say which one a misspelt key was meant to be. */
export function schemaKeys(schema: z.core.$ZodType, path: PropertyKey[]): string[] {
  const [key, ...rest] = path;
  for (const here of insides(schema)) {
    if (here instanceof z.ZodObject) {
      if (key === undefined) return Object.keys(here.shape);
      return schemaKeys(here.shape[String(key)] ?? z.never(), rest);
    }
    if (here instanceof z.ZodArray && key !== undefined) return schemaKeys(here.element, rest);
  }
  return [];
}

/** A schema without what is wrapped around it; of alternatives, each. */
function insides(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodOptional
  ) {
    return insides(schema.def.innerType);
  }
  if (schema instanceof z.ZodPipe) return insides(schema.def.in);
  if (schema instanceof z.ZodUnion) return schema.def.options.flatMap(insides);
  return [schema];
}
