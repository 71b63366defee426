import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ENTRIES = {
  ringback: "index",
  "ringback/sdp": "core/sdp/index",
  "ringback/simulator": "simulator/index",
};

/** What the examples of docs/verbs.md stand in. */
const HANDLER = `export {};
declare const gateway: import("ringback").Gateway;
declare const call: import("ringback").Call;
`;

/** The programs of a document, each as a module of its own that has what the document only names. */
function programsOf(document: string): string[] {
  const text = readFileSync(join(ROOT, document), "utf8");
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
}

function problemsOf(programs: readonly string[]): string[] {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), (path) => ts.sys.readFile(path));
  const paths = Object.fromEntries(
    Object.entries(ENTRIES).map(([name, entry]) => [name, [join(ROOT, "src", `${entry}.ts`)]]),
  );
  const { options: ours } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  // Beyond `strict`, which is what readers have.
  const options = { ...ours, paths, noPropertyAccessFromIndexSignature: false };
  const sources = new Map(programs.map((text, i) => [join(ROOT, "test", `readme-${i}.ts`), text]));
  const host = ts.createCompilerHost(options);
  host.readFile = (path) => sources.get(path) ?? ts.sys.readFile(path);
  host.fileExists = (path) => sources.has(path) || ts.sys.fileExists(path);
  const program = ts.createProgram([...sources.keys()], options, host);
  return [...sources.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((each) =>
      ts.flattenDiagnosticMessageText(each.messageText, "\n"),
    );
  });
}

test("the programs in the README and docs/flows.md compile as they stand, and the examples of docs/verbs.md in a handler", () => {
  const programs = [...programsOf("README.md"), ...programsOf("docs/flows.md")];
  expect(programs.length).toBeGreaterThanOrEqual(4);
  const examples = programsOf("docs/verbs.md").map((example) => HANDLER + example);
  expect(examples.length).toBeGreaterThan(8);
  expect(problemsOf([...programs, ...examples])).toEqual([]);
  expect(problemsOf(['import { createGatewai } from "ringback";'])).toHaveLength(1);
}, 60_000);

test("the files that the README links to are there", () => {
  const links = [...readFileSync(join(ROOT, "README.md"), "utf8").matchAll(/\]\(([^)#:]+)\)/g)];
  expect(links.length).toBeGreaterThan(5);
  for (const [, path = ""] of links) expect(() => readFileSync(join(ROOT, path))).not.toThrow();
});
