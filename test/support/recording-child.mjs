// Records until it is killed, from the TypeScript sources as they stand.
import { register } from "node:module";

register("./typescript-hooks.mjs", import.meta.url);
await import("./recording-child.ts");
