// The gateway that is killed, as it was built.
import { register } from "node:module";

register("./built-hooks.mjs", import.meta.url);
await import("./gateway-child.ts");
