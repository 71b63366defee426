import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { expect, onTestFinished, test, vi } from "vitest";
import { addCall, type CallToAdd, NUMBER_ID, newEvent, openApiRig } from "../../../test/support/api-rig.ts";
import { addEraseCommand } from "../../cli/erase.ts";
import type { CliIo } from "../../cli/io.ts";
import { toEnvelope } from "../../core/events/envelope.ts";
import { createId } from "../../core/events/id.ts";
import { eventMistakes } from "../../core/events/schemas.ts";
import { systemRandom } from "../../platform/random.ts";
import type { Store } from "../../store/index.ts";
import { readSubject } from "./erase-subject.ts";

const NUMBER = "4917098765432";
const OTHER = "4917011111111";

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ringback-erase-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "recordings"));
  return folder;
}

/** A call with everything that a call leaves: webhook, events, a recording with its file. */
async function addWholeCall(
  store: Store,
  folder: string,
  call: CallToAdd & { number: string },
): Promise<string> {
  const callId = await addCall(store, call);
  const { number } = call;
  const now = Date.now();
  const body = JSON.stringify({
    from: number,
    contacts: [{ profile: { name: `Name of ${number}` }, wa_id: number }],
  });
  const journalled = await store.journal.append({
    receivedAt: now,
    body: Buffer.from(body),
    entries: [{ dedupKey: callId, callKey: callId, event: "connect", position: 0, subject: number }],
  });
  await store.journal.finish(journalled.map(({ id }) => id));
  const recordingId = createId("rec", now, systemRandom);
  await writeFile(join(folder, "recordings", `${recordingId}.opus`), `voice of ${number}`);
  const consent = { mode: "none", state: "not_asked", at: null };
  await store.calls.commit({
    callId,
    events: [
      { ...newEvent(), personal: { digit: "5" } },
      {
        ...newEvent("gather.completed", { outcome: "digits", finished_by: null }),
        personal: { digits: number },
      },
    ],
    recordings: [
      {
        id: recordingId,
        callId,
        phoneNumberId: NUMBER_ID,
        status: "completed",
        format: "opus",
        files: [{ path: `${recordingId}.opus`, channel: "both", bytes: 1, sha256: "" }],
        durationMs: 1,
        consent,
        startedAt: now,
        endedAt: now,
      },
    ],
  });
  return callId;
}

/** The files below a folder that hold a number, plainly or in base64 at any of its three offsets. */
async function tracesOf(number: string, folder: string): Promise<readonly string[]> {
  const needles = [number, ...[0, 1, 2].map((pad) => base64Inside(number, pad))];
  const found: string[] = [];
  for (const name of await readdir(folder, { recursive: true })) {
    const bytes = await readFile(join(folder, name)).catch(() => null);
    for (const needle of needles) if (bytes?.includes(needle) === true) found.push(`${name}: ${needle}`);
  }
  return found;
}

function base64Inside(number: string, pad: number): string {
  const text = Buffer.from("x".repeat(pad) + number).toString("base64");
  return text.slice(pad === 0 ? 0 : 4, -4);
}

test("nothing of an erased number is left in any table or file, and others are as they were", async () => {
  const folder = await makeFolder();
  const file = join(folder, "ringback.db");
  const rig = await openApiRig({ recordingsFolder: join(folder, "recordings") }, file);
  const callId = await addWholeCall(rig.store, folder, { number: NUMBER });
  const otherId = await addWholeCall(rig.store, folder, { number: OTHER });
  expect((await tracesOf(NUMBER, folder)).length).toBeGreaterThan(1);

  const response = await rig.request("DELETE", `/v1/subjects/+${NUMBER}`);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    calls: 1,
    events: 3,
    webhooks: 1,
    recordings: 1,
    recordings_left: 0,
  });

  expect(await rig.store.calls.get(callId)).toMatchObject({
    party: { number: null, userId: null, name: null, username: null },
    whatsappCallId: null,
    erasedAt: expect.any(Number),
  });
  expect((await rig.store.calls.get(otherId))?.party.number).toBe(OTHER);
  const events = await rig.store.events.read({ callId }, { after: 0, limit: 10 });
  expect(events.map(({ seq, type }) => `${seq} ${type}`)).toEqual([
    "1 call.incoming",
    "2 call.dtmf",
    "3 gather.completed",
    "4 recording.deleted",
  ]);
  expect(events.map((event) => toEnvelope(event, 1)).flatMap(eventMistakes)).toEqual([]);
  const audit = await (await rig.request("GET", "/v1/audit")).json();
  expect(audit).toMatchObject({
    items: [
      { action: "recording.deleted" },
      { action: "subject.erased", target: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ],
    next: null,
  });
  expect(JSON.stringify(audit)).not.toContain(NUMBER);

  // Also before the database is closed: the process may run for months.
  expect(await tracesOf(NUMBER, folder)).toEqual([]);
  await rig.close();
  expect(await tracesOf(NUMBER, folder)).toEqual([]);
  expect((await tracesOf(OTHER, folder)).length).toBeGreaterThan(1);
});

test("a person on the line is not erased", async () => {
  const rig = await openApiRig();
  await addCall(rig.store, { number: NUMBER });
  const live = await addCall(rig.store, { number: NUMBER, state: "active" });
  const erase = (): Promise<Response> => rig.request("DELETE", `/v1/subjects/${NUMBER}`);
  const refused = await erase();
  expect([refused.status, await refused.json()]).toMatchObject([409, { code: "subject_has_live_call" }]);
  await rig.store.calls.commit({ callId: live, update: { state: "ended", endedAt: Date.now() } });
  expect(await (await erase()).json()).toMatchObject({ calls: 2 });
  expect(await (await erase()).json()).toMatchObject({ calls: 0 });
});

test("erasing needs its scope, all numbers, and somebody who can be named", async () => {
  const rig = await openApiRig();
  const weak = await rig.key({ scopes: ["calls:write", "recordings:delete"] });
  const narrow = await rig.key({ phoneNumberId: NUMBER_ID });
  const status = async (path: string, key?: string): Promise<number> => {
    return (await rig.request("DELETE", path, key === undefined ? {} : { key })).status;
  };
  expect(await status(`/v1/subjects/${NUMBER}`, weak)).toBe(403);
  expect(await status(`/v1/subjects/${NUMBER}`, narrow)).toBe(403);
  expect(await status("/v1/subjects/a%20b")).toBe(400);
  expect((await rig.request("GET", "/v1/audit", { key: narrow })).status).toBe(403);
});

test.each([
  ["+49 170 98765-432", NUMBER],
  ["0049 (170) 98765432", NUMBER],
  ["4917098765432\n", NUMBER],
  ["US.13491208655302741918", "US.13491208655302741918"],
  ["12", null],
  ["", null],
  ["a b", null],
])("%j is the subject %j", (text, subject) => {
  expect(readSubject(text)).toBe(subject);
});

interface Terminal {
  readonly out: string[];
  readonly err: string[];
  exitCode: number;
}

async function runCli(args: readonly string[], answer: string | null, input = ""): Promise<Terminal> {
  const terminal: Terminal = { out: [], err: [], exitCode: 0 };
  const io: CliIo = {
    readFile: async () => input,
    out: (line) => void terminal.out.push(line),
    write: (text) => void terminal.out.push(text),
    err: (line) => void terminal.err.push(line),
    setExitCode: (code) => {
      terminal.exitCode = code;
    },
  };
  const program = new Command("ringback").exitOverride();
  addEraseCommand(program, io, async () => answer);
  await program.parseAsync(["erase", ...args], { from: "user" });
  return terminal;
}

test("the command asks, erases beside a running gateway, and says what it did without the number", async () => {
  const folder = await makeFolder();
  vi.stubEnv("DATA_DIR", folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  const rig = await openApiRig({ recordingsFolder: join(folder, "recordings") }, join(folder, "ringback.db"));
  await addWholeCall(rig.store, folder, { number: NUMBER });

  const refused = await runCli(["--subject", NUMBER], "no");
  expect([refused.exitCode, refused.err]).toEqual([1, ["Nothing was erased."]]);
  await expect(runCli(["--subject", NUMBER], null)).rejects.toMatchObject({ code: "OPTION_INVALID" });
  await expect(runCli(["--subject", "x y", "--yes"], null)).rejects.toMatchObject({ code: "OPTION_INVALID" });
  const live = await addCall(rig.store, { number: NUMBER, state: "ringing" });
  expect((await runCli(["--subject", NUMBER, "--yes"], null)).exitCode).toBe(1);
  await rig.store.calls.commit({ callId: live, update: { state: "ended", endedAt: Date.now() } });

  const done = await runCli(["--subject", "-"], "erase", `+${NUMBER}\n`);
  expect([done.exitCode, done.err]).toEqual([0, []]);
  expect(done.out[0]).toBe("Erased: 2 calls, 4 events, 1 webhooks, 1 recordings.");
  expect(done.out.join()).not.toContain(NUMBER);
  expect(await tracesOf(NUMBER, folder)).toEqual([]);
});
