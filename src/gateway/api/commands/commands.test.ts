import { expect, test } from "vitest";
import { NUMBER_ID, openApiRig, type StoreApiRig } from "../../../../test/support/api-rig.ts";
import {
  type FakeLiveCall,
  FakeLiveCalls,
  type Script,
  until,
} from "../../../../test/support/fake-live-call.ts";
import { RingbackError } from "../../../errors.ts";
import type { ApiContext } from "../context.ts";

interface Rig extends StoreApiRig {
  readonly live: FakeLiveCall;
  readonly lines: FakeLiveCalls;
  command(verb: string, body?: unknown, key?: string): Promise<{ status: number; body: Answer }>;
  /** Outcomes of commands, in their order. */
  outcomes(): Promise<readonly unknown[]>;
  settled(count: number): Promise<readonly unknown[]>;
}

interface Answer {
  readonly command_id: string;
  readonly code?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

async function openRig(script: Script = {}, change: Partial<ApiContext> = {}): Promise<Rig> {
  const lines = new FakeLiveCalls();
  const rig = await openApiRig({ liveCalls: lines, soundsFolder: "/sounds", ...change });
  const live = await lines.ring(rig.store, script);
  const command: Rig["command"] = async (verb, body, key) => {
    const response = await rig.request("POST", `/v1/calls/${live.id}/${verb}`, {
      ...(body !== undefined && { body }),
      ...(key !== undefined && { key }),
    });
    return { status: response.status, body: (await response.json()) as Answer };
  };
  const outcomes = async (): Promise<readonly unknown[]> => {
    await live.written();
    const events = await rig.store.events.read({ callId: live.id }, { after: 0, limit: 100 });
    return events
      .filter(({ type }) => type.startsWith("call.command_"))
      .map(({ type, data }) => [type.slice("call.command_".length), data]);
  };
  const settled = async (count: number): Promise<readonly unknown[]> => {
    await until(async () => (await outcomes()).length >= count);
    return outcomes();
  };
  return { ...rig, live, lines, command, outcomes, settled };
}

test("a command is taken with 202, and its outcome is an event of the call", async () => {
  const rig = await openRig();
  const { status, body } = await rig.command("answer");
  expect(status).toBe(202);
  expect(body).toEqual({ command_id: expect.stringMatching(/^cmd_/), call_id: rig.live.id, verb: "answer" });
  expect(await rig.settled(1)).toEqual([
    ["completed", { command_id: body.command_id, verb: "answer", result: {} }],
  ]);
  expect(rig.live.asked).toEqual([["answer"]]);
});

test("what is to be played is a URL, a file of the folder of sounds, a tone, silence or words", async () => {
  const rig = await openRig();
  const source = [
    "https://sounds.example.com/a.mp3",
    "de/welcome.mp3",
    { tone: { frequency_hz: [350, 440], duration_ms: 500 } },
    { silence_ms: 200 },
    { say: "Hello", voice: "anna", language: "de" },
  ];
  await rig.command("play", { source, loop: 2, gain: 0.5, interrupt_on: ["digit"], queue: true });
  const [, data] = (await rig.settled(1))[0] as [string, object];
  expect(data).toMatchObject({ result: { outcome: "completed", played_ms: 1_000, interrupted_by: null } });
  expect(rig.live.asked[0]?.slice(0, 2)).toEqual([
    "play",
    [
      "https://sounds.example.com/a.mp3",
      "/sounds/de/welcome.mp3",
      { tone: { frequencyHz: [350, 440], durationMs: 500 } },
      { silenceMs: 200 },
      { say: "Hello", voice: "anna", language: "de" },
    ],
  ]);
  expect(rig.live.asked[0]?.[2]).toMatchObject({ loop: 2, gain: 0.5, interruptOn: ["digit"], queue: true });
});

test.each([
  "/etc/passwd",
  "../secret.mp3",
  "a/../../secret.mp3",
  "a/./b.mp3",
  "a//b.mp3",
  ".hidden",
  "a/.hidden/b.mp3",
  "..\\secret.mp3",
  "C:\\secret.mp3",
  "file:///etc/passwd",
  "data:audio/wav;base64,AAAA",
  "ftp://example.com/a.mp3",
  "a\u0000.mp3",
  "",
])("no path of the machine is played: %j", async (source) => {
  const rig = await openRig();
  for (const [verb, body] of [
    ["play", { source }],
    ["gather", { prompt: [source] }],
    ["hold", { music: source }],
    ["record", { consent: "announce", announcement: source }],
  ] as const) {
    const { status, body: answer } = await rig.command(verb, body);
    expect([verb, status, answer.code]).toEqual([verb, 400, "invalid_request"]);
  }
  const flow = [
    { verb: "play", source },
    { verb: "gather", prompt: source, on: { 1: [{ verb: "hangup" }] } },
  ];
  expect((await rig.command("flow", { flow })).body.code).toBe("flow_invalid");
  expect(rig.live.asked).toEqual([]);
});

test("without a folder of sounds no file is played, by commands or by flows", async () => {
  const rig = await openRig({}, { soundsFolder: null });
  const { status, body } = await rig.command("play", { source: "welcome.mp3" });
  expect([status, body.code, body.errors?.[0]?.path]).toEqual([400, "invalid_request", "body.source"]);
  const flow = { version: 1, steps: [{ verb: "record", consent: "announce", announcement: "a.mp3" }] };
  const refused = await rig.command("flow", { flow });
  expect(refused.body.errors?.[0]?.path).toBe("body.flow.steps[0].announcement");
});

test("the digits that a caller pressed are a personal part of the outcome", async () => {
  const rig = await openRig();
  await rig.command("gather", {
    max_digits: 2,
    finish_on_key: null,
    timeout_ms: 1_000,
    prompt: { say: "Which?" },
  });
  const [, data] = (await rig.settled(1))[0] as [string, object];
  expect(data).toMatchObject({ result: { outcome: "digits", digits: "42", finished_by: "finish_key" } });
  expect(rig.live.asked[0]?.[1]).toMatchObject({ maxDigits: 2, finishOnKey: null, timeoutMs: 1_000 });
  await rig.store.erase("4915112345678", Date.now(), "test");
  const [, erased] = (await rig.outcomes())[0] as [string, object];
  expect(erased).toMatchObject({ result: { outcome: "digits", finished_by: "finish_key" } });
  expect(JSON.stringify(erased)).not.toContain("42");
});

test("what goes wrong is told by code, without a path of the machine", async () => {
  const missing = new RingbackError("MEDIA_FILE_UNUSABLE", "/sounds/a.mp3 is missing.", {
    details: { path: "/sounds/a.mp3", reason: "missing" },
  });
  const rig = await openRig({
    play: missing,
    answer: new Error("secret of the house"),
    tag: () => undefined,
  });
  await rig.command("play", { source: "a.mp3" });
  await rig.command("answer");
  const outcomes = await rig.settled(2);
  const errors = outcomes.map((outcome) => (outcome as [string, { error: unknown }])[1].error);
  expect(errors).toEqual(
    expect.arrayContaining([
      { code: "media_file_unusable", message: "The sound cannot be played: missing." },
      { code: "internal_error", message: "The log of the gateway says what it was." },
    ]),
  );
});

test("a command with the same id is done once; another command with that id is refused", async () => {
  const rig = await openRig();
  const first = await rig.command("dtmf", { digits: "1w2", command_id: "mine-1" });
  const again = await rig.command("dtmf", { command_id: "mine-1", digits: "1w2" });
  expect([first, again]).toEqual([first, first]);
  expect(first).toMatchObject({ status: 202, body: { command_id: "mine-1" } });
  const other = await rig.command("dtmf", { digits: "3", command_id: "mine-1" });
  expect([other.status, other.body.code]).toEqual([409, "command_id_reused"]);
  const otherVerb = await rig.command("answer", { command_id: "mine-1" });
  expect([otherVerb.status, otherVerb.body.code]).toEqual([409, "command_id_reused"]);
  await rig.settled(1);
  expect(rig.live.asked).toEqual([["sendDigits", "1w2", {}]]);
});

test("stop ends what is under way of a kind, and each stopped command has its outcome", async () => {
  const rig = await openRig({
    play: (_source: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise((resolve) => {
        const result = { outcome: "stopped", playedMs: 20, interruptedBy: null };
        signal.addEventListener("abort", () => resolve(result), { once: true });
      }),
    gather: ({ signal }: { signal: AbortSignal }) =>
      new Promise((resolve) => {
        const result = { outcome: "aborted", digits: "", finishedBy: null };
        signal.addEventListener("abort", () => resolve(result), { once: true });
      }),
  });
  const play = await rig.command("play", { source: { say: "a long text" } });
  const gather = await rig.command("gather", {});
  const stop = await rig.command("stop");
  const first = await rig.settled(2);
  expect(first).toEqual(
    expect.arrayContaining([
      ["completed", expect.objectContaining({ command_id: stop.body.command_id, result: { stopped: 1 } })],
      ["completed", expect.objectContaining({ command_id: play.body.command_id })],
    ]),
  );
  expect(JSON.stringify(first)).not.toContain(gather.body.command_id);
  await rig.command("stop", { what: "all" });
  expect(JSON.stringify(await rig.settled(4))).toContain(gather.body.command_id);
});

test("a call has a bounded number of commands under way, and can be hung up all the same", async () => {
  const rig = await openRig({ say: () => new Promise(() => {}) }, { limits: { pendingCommands: 2 } });
  expect((await rig.command("say", { text: "one" })).status).toBe(202);
  expect((await rig.command("say", { text: "two" })).status).toBe(202);
  const third = await rig.command("say", { text: "three" });
  expect([third.status, third.body.code]).toEqual([429, "too_many_commands"]);
  expect((await rig.command("stop")).status).toBe(202);
  expect((await rig.command("hangup")).status).toBe(202);
});

test("a recording of the call is paused, resumed and stopped by commands", async () => {
  const steps: string[] = [];
  const files = [{ path: "/data/rec.opus", channel: "both", bytes: 3, sha256: "ab" }];
  const rig = await openRig({
    startRecording: ({ signal }: { signal: AbortSignal }) => ({
      pause: () => steps.push("pause"),
      resume: () => steps.push("resume"),
      finished: new Promise((resolve) => {
        const consent = { mode: "none", state: "not-asked", atMs: null, digit: null };
        const result = {
          status: "completed",
          endedBy: "aborted",
          durationMs: 5.4,
          pausedMs: 0,
          consent,
          files,
        };
        signal.addEventListener("abort", () => resolve(result), { once: true });
      }),
    }),
  });
  await rig.command("pause-recording");
  const record = await rig.command("record", {
    mode: "call",
    consent: "none",
    format: "wav",
    max_ms: 60_000,
  });
  await rig.command("pause-recording");
  await rig.command("resume-recording");
  await rig.command("stop", { what: "recording" });
  const outcomes = await rig.settled(5);
  expect(steps).toEqual(["pause", "resume"]);
  expect(outcomes[0]).toMatchObject([
    "failed",
    { verb: "pause-recording", error: { code: "not_recording" } },
  ]);
  expect(outcomes).toContainEqual([
    "completed",
    {
      command_id: record.body.command_id,
      verb: "record",
      result: {
        status: "completed",
        ended_by: "aborted",
        duration_ms: 5,
        paused_ms: 0,
        consent: { mode: "none", state: "not_asked" },
        files: [{ channel: "both", bytes: 3, sha256: "ab" }],
      },
    },
  ]);
});

test("a recording needs a consent, an announcement to ask for it, and no fields of another mode", async () => {
  const rig = await openRig();
  const wrong = [
    {},
    { consent: "announce" },
    { consent: "none", mode: "call", beep: true },
    { consent: "yes" },
  ];
  for (const body of wrong) expect((await rig.command("record", body)).body.code).toBe("invalid_request");
  expect((await rig.command("record", { consent: "none", file: "/tmp/x.opus" })).body.errors).toEqual([
    { path: "body.file", message: "unknown field" },
  ]);
});

test("a flow is checked before it is taken, and carried out with what the gateway may request", async () => {
  const rig = await openRig();
  const bad = await rig.command("flow", { flow: [{ verb: "pley", source: "a.mp3" }] });
  expect([bad.status, bad.body.code, bad.body.errors?.[0]?.path]).toEqual([
    422,
    "flow_invalid",
    "body.flow.steps[0].verb",
  ]);
  await rig.command("flow", {
    flow: [{ verb: "answer" }, { verb: "play", source: "a.mp3" }],
    at_end: "keep",
  });
  const [outcome] = await rig.settled(1);
  expect(outcome).toMatchObject(["completed", { verb: "flow", result: { reason: "completed", steps: 2 } }]);
  const [, sources] = rig.live.asked.find(([verb]) => verb === "play") ?? [];
  expect(sources).toEqual(["/sounds/a.mp3"]);
});

test("two calls are bridged, and taken apart by the one that was asked", async () => {
  let unbridge = (): void => {};
  const ended = new Promise((resolve) => {
    unbridge = () => resolve({ outcome: "unbridged", durationMs: 7 });
  });
  const rig = await openRig({ bridge: () => ({ ended, unbridge }) });
  const other = await rig.lines.ring(rig.store);
  await rig.command("bridge", { other_call_id: other.id, digits: false });
  expect(await rig.settled(1)).toMatchObject([["completed", { result: { other_call_id: other.id } }]]);
  expect(rig.live.asked[0]).toEqual(["bridge", other.call, { digits: false }]);
  await rig.command("unbridge");
  expect((await rig.settled(2))[1]).toMatchObject(["completed", { result: { duration_ms: 7 } }]);
  await rig.command("unbridge");
  expect((await rig.settled(3))[2]).toMatchObject(["failed", { error: { code: "not_bridged" } }]);
  expect((await rig.command("bridge", { other_call_id: rig.live.id })).body.code).toBe("invalid_request");
});

test("a call of another number is not there for a key of one number, neither to be commanded nor to be bridged", async () => {
  const rig = await openRig();
  const foreign = await rig.lines.ring(rig.store, {}, { phoneNumberId: "999" });
  const key = await rig.key({ phoneNumberId: NUMBER_ID });
  expect((await rig.command("answer", {}, key)).status).toBe(202);
  const refused = await rig.request("POST", `/v1/calls/${foreign.id}/answer`, { key });
  expect(refused.status).toBe(404);
  const bridged = await rig.command("bridge", { other_call_id: foreign.id }, key);
  expect([bridged.status, bridged.body.code]).toEqual([404, "not_found"]);
  expect(foreign.asked).toEqual([]);
});

test("a call that has ended, or is on the line elsewhere, takes no commands", async () => {
  const rig = await openRig();
  rig.live.end();
  expect(await rig.command("answer")).toMatchObject({ status: 409, body: { code: "call_not_live" } });
  const unknown = await rig.request("POST", "/v1/calls/call_0199a0b0c0d07000800000000000abcd/answer");
  expect(unknown.status).toBe(404);
});

test("tags are noted in the record, and hold only what they may", async () => {
  const rig = await openRig();
  await rig.command("tag", { tags: { order: "A-1", vip: true, tries: 2 } });
  await rig.settled(1);
  expect(rig.live.asked).toEqual([["tag", { order: "A-1", vip: true, tries: 2 }]]);
  expect((await rig.command("tag", { tags: { "bad name": 1 } })).status).toBe(400);
  expect((await rig.command("tag", { tags: { list: [] } })).status).toBe(400);
});
