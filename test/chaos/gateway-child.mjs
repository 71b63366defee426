// The gateway that is killed, from the TypeScript sources as they stand.
import { register } from "node:module";

register("../support/typescript-hooks.mjs", import.meta.url);
await import("./gateway-child.ts");
