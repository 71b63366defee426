import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { addFlowCommands } from "./flow.ts";
import type { CliIo } from "./io.ts";

/** Runs `ringback flow check` over a text. */
async function checkText(text: string, ...flags: readonly string[]) {
  const lines: string[] = [];
  let exitCode = 0;
  const io: CliIo = {
    readFile: async () => text,
    out: (line) => void lines.push(line),
    write: (written) => void lines.push(written),
    err: (line) => void lines.push(line),
    setExitCode: (code) => {
      exitCode = code;
    },
  };
  const program = new Command().exitOverride();
  addFlowCommands(program, io);
  await program.parseAsync(["flow", "check", "flow.json", ...flags], { from: "user" });
  return { out: lines.join("\n"), exitCode };
}

describe("flow check", () => {
  test("says how many steps a flow without mistakes has", async () => {
    const { out, exitCode } = await checkText(
      '[{"verb":"answer"},{"verb":"gather","on":{"1":[{"verb":"hangup"}]}}]',
    );
    expect(out).toBe("3 steps, no mistakes.");
    expect(exitCode).toBe(0);
  });

  test("explains each mistake with its line, its path and what was meant", async () => {
    const { out, exitCode } = await checkText(
      '[\n  {"verb": "answer"},\n  {"verb": "gather", "maxDigit": 1},\n  {"verb": "pause"}\n]',
    );
    expect(out.split("\n")).toEqual([
      "line 3, column 22: steps[1].maxDigit: unknown field; did you mean maxDigits?",
      "line 4, column 3: steps[2].durationMs: is missing: it must be a number",
      "",
      "2 mistakes.",
    ]);
    expect(exitCode).toBe(1);
  });

  test("says where a text stops being JSON", async () => {
    const { out, exitCode } = await checkText('[\n  {"verb": "answer"},\n]');
    expect(out).toBe("line 3, column 1: no JSON: there must be no comma before ]\n\n1 mistake.");
    expect(exitCode).toBe(1);
  });

  test("warnings leave the exit code at 0", async () => {
    const { out, exitCode } = await checkText('[{"verb":"hangup"},{"verb":"answer"}]');
    expect(out).toBe(
      "line 1, column 20: warning: steps[1]: is never reached\n\n2 steps, no mistakes, 1 warning.",
    );
    expect(exitCode).toBe(0);
  });

  test("JSON has the same", async () => {
    const { out, exitCode } = await checkText('[{"verb":"answr"}]', "--json");
    expect(JSON.parse(out)).toEqual({
      steps: 1,
      mistakes: [
        {
          path: "steps[0].verb",
          message: "unknown verb; did you mean answer?",
          place: { line: 1, column: 3 },
        },
      ],
      warnings: [],
    });
    expect(exitCode).toBe(1);
  });

  test("nothing reaches the terminal that it would act on", async () => {
    const { out } = await checkText('[{"verb":"answer","\\u001b[2J\\u009b\\u202e":1}]');
    expect(out).toContain("steps[0].?[2J??: unknown field");
  });
});
