// `npm run chaos`: runs the sources as they stand.
import { register } from "node:module";

register("../support/typescript-hooks.mjs", import.meta.url);
await import("./main.ts");
