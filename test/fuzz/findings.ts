import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FuzzStep } from "./target.ts";

/** Inputs that have once broken something, kept so that they do not again. */
export const FINDINGS_FOLDER = fileURLToPath(new URL("../fixtures/fuzz/", import.meta.url));

export interface Finding {
  readonly target: string;
  /** What went wrong when it was found. */
  readonly problem: string;
  readonly steps: readonly FuzzStep[];
}

/** @returns Path of the file. The same case has the same name. */
export function writeFinding(finding: Finding): string {
  const digest = createHash("sha256").update(JSON.stringify(finding.steps)).digest("hex").slice(0, 8);
  const path = join(FINDINGS_FOLDER, `${finding.target}-${digest}.json`);
  mkdirSync(FINDINGS_FOLDER, { recursive: true });
  writeFileSync(path, `${JSON.stringify(finding, null, 2)}\n`);
  return path;
}

export function readFinding(path: string): Finding {
  return JSON.parse(readFileSync(path, "utf8")) as Finding;
}

/** Paths. */
export function listFindings(): readonly string[] {
  if (!existsSync(FINDINGS_FOLDER)) return [];
  return readdirSync(FINDINGS_FOLDER)
    .filter((name) => name.endsWith(".json"))
    .map((name) => join(FINDINGS_FOLDER, name));
}
