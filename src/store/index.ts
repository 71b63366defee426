export { openStore } from "./open.ts";
export type { StoreDeps } from "./store-deps.ts";
export type * from "./types.ts";
