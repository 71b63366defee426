import { expect, test } from "vitest";
import { silentLogger } from "../../logger.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { ScriptedMediaEngine } from "../../testing/scripted-media.ts";
import { packPrompt } from "../encoded-prompt.ts";
import { LocalMediaHost } from "../local-media-host.ts";
import type { HostedSession } from "../media-host.ts";
import { FrameBatcher } from "./frame-batch.ts";
import type { FromWorker } from "./messages.ts";
import { callStats } from "./shared-stats.ts";
import { WorkerCall } from "./worker-call.ts";

const offer = {
  mid: "audio",
  iceUfrag: "ufrag",
  icePwd: "passwordOfThePeer1234567",
  iceLite: true,
  fingerprints: [],
  setup: "actpass",
  candidates: [],
  opus: { payloadType: 111, parameters: "" },
  telephoneEvent: null,
  ssrc: 1,
} as const;

function nobody(): FrameBatcher {
  return new FrameBatcher({ send: () => {}, batchesTaken: new Int32Array(1), schedule: () => {} });
}

async function setUp() {
  const time = new ManualClock();
  const engine = new ScriptedMediaEngine();
  const host = new LocalMediaHost({
    engine,
    clock: time,
    timers: time,
    random: (byteLength) => new Uint8Array(byteLength),
  });
  const posted: FromWorker[] = [];
  const call = new WorkerCall({
    call: 7,
    stats: new Float64Array(callStats.length),
    post: (message) => posted.push(message),
    frames: nobody(),
    samples: nobody(),
    findPrompt: () => packPrompt([Uint8Array.of(1)], 20),
    logger: silentLogger,
  });
  const session = await host.openSession(offer, call);
  call.opened(session);
  return { time, call, session, posted, down: () => posted.filter(isDown) };
}

const isDown = ({ type }: FromWorker): boolean => type === "lost" || type === "failed";

const fault = (): never => {
  throw new Error("a fault of ours");
};

test("a session that throws before it is connected has failed, one that throws later is lost", async () => {
  const { time, call, down } = await setUp();
  call.perform(fault);
  call.perform((session) => session.connect());
  await time.advanceAsync(0);
  call.perform(fault);
  const reason = "engine-error";
  expect(down()).toEqual([
    { type: "failed", call: 7, reason },
    { type: "lost", call: 7, reason },
  ]);
});

test("the last word about a call comes behind what became of its playbacks", async () => {
  const { call, posted } = await setUp();
  call.startTask(1, { type: "play", prompts: [1], options: { loop: true } });
  await call.close();
  expect(posted.map(({ type }) => type).slice(-2)).toEqual(["task-done", "closed"]);
});

test("a session that throws while it closes is closed all the same", async () => {
  const { call, session, posted } = await setUp();
  const { local } = session;
  call.opened({ local, stats: () => session.stats(), close: fault } as unknown as HostedSession);
  await call.close();
  expect(posted.at(-1)).toEqual({ type: "closed", call: 7 });
});
