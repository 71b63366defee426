import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTextFile } from "../platform/files.ts";
import { addFlowCommands } from "./flow.ts";
// Loaded by the command when it is needed, which takes its time.
import "./flow-run.ts";
import type { CliIo } from "./io.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ringback-flow-run-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs `ringback flow run` over a flow in a file. */
async function runSteps(steps: readonly unknown[], ...flags: readonly string[]) {
  const path = join(folder, "flow.json");
  writeFileSync(path, JSON.stringify(steps));
  const out: string[] = [];
  const err: string[] = [];
  let exitCode: number | null = null;
  const io: CliIo = {
    readFile: readTextFile,
    out: (line) => void out.push(line),
    write: (text) => void out.push(text),
    err: (line) => void err.push(line),
    setExitCode: (code) => {
      exitCode = code;
    },
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addFlowCommands(program, io);
  await program.parseAsync(["flow", "run", path, ...flags], { from: "user" });
  return { out, err: err.join("\n"), exitCode };
}

const TONE = { tone: { frequencyHz: 800, durationMs: 200 } };

describe("flow run", () => {
  test("makes a call that presses keys when it is asked for some, and prints each step", async () => {
    const steps = [
      { verb: "gather", id: "menu", prompt: TONE, on: { 1: [{ verb: "play", source: TONE }], 2: "end" } },
      { verb: "gather", maxDigits: 4 },
      { verb: "play", source: "missing.mp3" },
    ];
    const heard = join(folder, "heard.wav");
    const { out, err, exitCode } = await runSteps(steps, "--digits", "1w23#", "--heard", heard);
    expect(err).toBe("");
    expect(out.map((line) => line.split(/\s+/).slice(3, 6).join(" ")).slice(0, 4)).toEqual([
      "menu gather digits",
      "menu.on.1[0] play completed",
      "1 gather digits",
      "2 play failed",
    ]);
    expect(out[0]).toMatch(/^ {3}0\.00 s {2}menu .* ms, digits 1$/);
    expect(out[2]).toContain("digits 23");
    expect(out[3]).toContain("missing.mp3 does not exist.");
    expect(out.join("\n")).toContain("The flow reached its end: 4 steps in");
    expect(exitCode).toBe(0);
    expect(readFileSync(heard).subarray(0, 4).toString()).toBe("RIFF");
  });

  test("prints JSON, an object a line", async () => {
    const { out, exitCode } = await runSteps(
      [{ verb: "tag", tags: { a: 1 } }, { verb: "reject" }],
      "--json",
      "--digits",
      "1",
    );
    expect(out.map((line) => JSON.parse(line))).toEqual([
      {
        type: "step",
        document: 0,
        index: "0",
        id: null,
        verb: "tag",
        outcome: "completed",
        atMs: 0,
        durationMs: 0,
      },
      {
        type: "step",
        document: 0,
        index: "1",
        id: null,
        verb: "reject",
        outcome: "completed",
        atMs: expect.any(Number),
        durationMs: expect.any(Number),
      },
      {
        type: "end",
        reason: "completed",
        steps: 2,
        durationMs: expect.any(Number),
        tags: { a: 1 },
        keysLeft: "1",
        endedBy: "rejected",
      },
    ]);
    expect(exitCode).toBe(0);
  });

  test("exits with 1 and the reason when the flow did not reach its end", async () => {
    const { out, err, exitCode } = await runSteps(
      [
        { verb: "pause", durationMs: 20 },
        { verb: "play", source: TONE, loop: true },
      ],
      "--hang-up-after",
      "1",
      "--digits",
      "7",
    );
    expect(out.at(-1)).toContain("hangup");
    expect(err).toContain(
      "The caller hung up, or the call broke off, before the flow reached its end: 2 steps",
    );
    expect(err).toContain("Nobody asked for these keys: 7");
    expect(exitCode).toBe(1);
  });

  test("makes no call of a flow with mistakes", async () => {
    const { out, err, exitCode } = await runSteps([{ verb: "rejct" }]);
    expect(out).toEqual([]);
    expect(err).toContain("steps[0].verb: unknown verb; did you mean reject?");
    expect(exitCode).toBe(1);
  });

  test.each([
    ["--digits", "1x"],
    ["--hang-up-after", "0"],
  ])("refuses %s %s", async (flag, value) => {
    await expect(runSteps([{ verb: "hangup" }], flag, value)).rejects.toThrow("It must be");
  });
});
