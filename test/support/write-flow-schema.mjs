// `npm run flow-schema`: writes docs/flow.schema.json from the schema in src/core/flow.
import { writeFileSync } from "node:fs";
import { register } from "node:module";

register("./typescript-hooks.mjs", import.meta.url);
const { flowJsonSchema } = await import("../../src/core/flow/json-schema.ts");
const path = new URL("../../docs/flow.schema.json", import.meta.url);
writeFileSync(path, `${JSON.stringify(flowJsonSchema(), null, 2)}\n`);
