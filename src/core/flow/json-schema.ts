import { z } from "zod";
import { flowDocumentSchema, flowStepSchema } from "./schema.ts";

/** The grammar of flows as JSON Schema (2020-12), for editors and other programs: docs/flow.schema.json. */
export function flowJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = z.union([flowDocumentSchema, z.array(flowStepSchema)]);
  return {
    title: "Ringback call flow",
    ...z.toJSONSchema(schema, { io: "input", target: "draft-2020-12" }),
  };
}
