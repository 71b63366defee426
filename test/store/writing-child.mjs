// Writes to a store until it is killed, from the TypeScript sources as they stand.
import { register } from "node:module";

register("../support/typescript-hooks.mjs", import.meta.url);
await import("./writing-child.ts");
