// Part of `npm run api-docs`: writes docs/asyncapi.json from the schemas in src/core/events.
import { writeFileSync } from "node:fs";
import { register } from "node:module";

register("./typescript-hooks.mjs", import.meta.url);
const { eventsDocument } = await import("./asyncapi-document.ts");
const path = new URL("../../docs/asyncapi.json", import.meta.url);
writeFileSync(path, `${JSON.stringify(eventsDocument(), null, 2)}\n`);
