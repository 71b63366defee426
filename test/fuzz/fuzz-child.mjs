// A process that fuzzes one target: another one watches it, and can end it when an input never ends.
import { register } from "node:module";

register("../support/typescript-hooks.mjs", import.meta.url);
await import("./fuzz-child.ts");
