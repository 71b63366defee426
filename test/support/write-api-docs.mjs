// `npm run api-docs`: writes docs/openapi.json from the routes in src/gateway/api.
import { writeFileSync } from "node:fs";
import { register } from "node:module";

register("./typescript-hooks.mjs", import.meta.url);
const { apiDocument } = await import("./api-document.ts");
const path = new URL("../../docs/openapi.json", import.meta.url);
writeFileSync(path, `${JSON.stringify(await apiDocument(), null, 2)}\n`);
