// What the gate says at its end: the slowest files, what passed only at another try, and what failed.
// node .ci/report.mjs RESULTS FAILED: of vitest's JSON report and a folder with the output of the steps that failed.
// node .ci/report.mjs --counts RESULTS: tests passed, failed and skipped. A report that is not there has none.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

const SLOWEST = 10;
const LINES_OF_ALL = 60;
const LINES_OF_EACH = 8;
const LINE_LENGTH = 200;
/** In the output of a step, what tells most. */
const TELLING = /\bFAIL|error|✗|✖|×|not ok/i;

const [first, second] = process.argv.slice(2);
if (first === "--counts") print([counts(read(second)).join(" ")]);
else report(first, second);

function read(path) {
  if (!existsSync(path))
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
  return JSON.parse(readFileSync(path, "utf8"));
}

function counts(results) {
  const failed = results.numFailedTests + results.testResults.filter(isBroken).length;
  return [results.numPassedTests, failed, results.numPendingTests + results.numTodoTests];
}

/** A file that failed as a whole, with none of its tests. */
function isBroken(file) {
  return file.status === "failed" && file.assertionResults.every(({ status }) => status !== "failed");
}

function report(path, folder) {
  const files = read(path).testResults;
  const tests = files.flatMap((file) =>
    file.assertionResults.map((test) => ({ ...test, file: nameOf(file) })),
  );
  section("slowest test files", slowest(files));
  section("passed only at another try", tests.filter(isRetried).map(titleOf));
  const failures = [
    ...tests.filter(({ status }) => status === "failed").map((test) => [titleOf(test), firstLines(test)]),
    ...files.filter(isBroken).map((file) => [nameOf(file), head(file.message)]),
    ...readdirSync(folder).map((step) => [
      `step "${step}"`,
      telling(readFileSync(join(folder, step), "utf8")),
    ]),
  ];
  section("failed", cut(failures.flatMap(([title, lines]) => [`FAIL ${title}`, ...indented(lines)])));
}

function section(title, lines) {
  if (lines.length > 0) print([`== ${title}`, ...lines]);
}

function print(lines) {
  process.stdout.write(`${lines.join("\n")}\n`);
}

function slowest(files) {
  return files
    .map((file) => ({ seconds: (file.endTime - file.startTime) / 1_000, name: nameOf(file) }))
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, SLOWEST)
    .map(({ seconds, name }) => `${seconds.toFixed(1).padStart(7)} s  ${name}`);
}

/** Vitest keeps what earlier tries failed with. */
function isRetried({ status, failureMessages }) {
  return status === "passed" && failureMessages.length > 0;
}

function nameOf(file) {
  return relative(process.cwd(), file.name);
}

function titleOf({ file, ancestorTitles, title }) {
  return [file, ...ancestorTitles, title].join(" > ");
}

function firstLines({ failureMessages }) {
  return head(failureMessages[0] ?? "");
}

function head(text) {
  return linesOf(text).slice(0, LINES_OF_EACH);
}

function telling(text) {
  const lines = linesOf(text);
  const found = lines.filter((line) => TELLING.test(line));
  return found.length > 0 ? found.slice(0, LINES_OF_EACH) : lines.slice(-LINES_OF_EACH);
}

function linesOf(text) {
  const lines = stripVTControlCharacters(text).split(/\r?\n/);
  return lines.filter((line) => line.trim() !== "" && !line.includes("/node_modules/"));
}

function indented(lines) {
  return lines.map((line) => `  ${line}`.slice(0, LINE_LENGTH));
}

/** All titles rather than all lines, where they do not fit. */
function cut(lines) {
  if (lines.length <= LINES_OF_ALL) return lines;
  const titles = lines.filter((line) => line.startsWith("FAIL "));
  const left = titles.length - LINES_OF_ALL;
  return left > 0 ? [...titles.slice(0, LINES_OF_ALL), `and ${left} more`] : withRoom(lines, titles.length);
}

function withRoom(lines, titles) {
  let room = LINES_OF_ALL - titles;
  return lines.filter((line) => line.startsWith("FAIL ") || room-- > 0);
}
