import { createRequire } from "node:module";

const manifest: unknown = createRequire(import.meta.url)("ringback/package.json");

/** The version of this package, from its manifest. */
export const VERSION: string =
  typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";
