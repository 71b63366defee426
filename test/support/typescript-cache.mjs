// TypeScript sources as Node runs them: without their types. What was made of a file is kept under its content's hash,
// so that the compiler is loaded only for what has changed.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../../node_modules/.cache/ringback-tests/", import.meta.url));

/** The JavaScript of the file at `path`. */
export async function compileCached(path) {
  const text = readFileSync(path, "utf8");
  const cached = join(FOLDER, `${createHash("sha256").update(text).digest("hex")}.mjs`);
  return readIfThere(cached) ?? (await compile(text, cached));
}

function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not compiled yet.
    return null;
  }
}

async function compile(text, path) {
  const { default: ts } = await import("typescript");
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: {
      target: "es2022",
      module: "esnext",
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
    },
  });
  mkdirSync(FOLDER, { recursive: true });
  // Whole or not at all: other tests read meanwhile.
  const draft = `${path}.${process.pid}.${Math.random()}`;
  writeFileSync(draft, outputText);
  renameSync(draft, path);
  return outputText;
}
