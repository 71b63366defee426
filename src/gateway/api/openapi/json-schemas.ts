import { z } from "zod";

export type JsonSchema = { readonly [key: string]: unknown };

/** JSON Schemas of zod's, with the named ones in `components` (OpenAPI 3.1 takes JSON Schema 2020-12 as it is). */
export class JsonSchemas {
  readonly #components = new Map<string, JsonSchema>();

  /** Named ones, by name. */
  get components(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries([...this.#components].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** @param io `input`: what a client sends. `output`: what it gets. */
  of(schema: z.ZodType, io: "input" | "output"): JsonSchema {
    const { $schema: _, $defs = {}, ...root } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
    for (const [name, inner] of Object.entries($defs)) this.#keep(name, inner as JsonSchema);
    const { id } = root;
    if (typeof id !== "string") return this.#relink(root);
    this.#keep(id, root);
    return { $ref: `#/components/schemas/${id}` };
  }

  #keep(name: string, schema: JsonSchema): void {
    const { id: _, ...rest } = schema;
    this.#components.set(name, this.#relink(rest));
  }

  #relink(schema: JsonSchema): JsonSchema {
    return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as JsonSchema;
  }
}
