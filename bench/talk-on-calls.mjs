// What a program under test does with the audio of its calls, one kind of it in a process.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPacketRingMemory } from "../dist/media/index.js";
import { Feeder } from "./feeder.mjs";
import { SPEECH_RATE_HZ, speechSamples } from "./speech.mjs";

const createKind = { prompt, record, listen, live, "live-vad": liveVad, bridge };

/**
 * What one kind has: `begin(call, session)` before the call connects, `end(call, session)` before it is closed, and
 * `close()` when all of them are.
 */
export async function createTalk({ kind, file, prompt: encoded }) {
  const talk = { framesHeard: 0, begin() {}, end() {}, async close() {} };
  await createKind[kind](talk, { file, prompt: encoded });
  return talk;
}

function prompt(talk, { prompt: encoded }) {
  talk.begin = (_call, session) => void session.play([encoded], { loop: true });
}

/** Both sides into a stereo file, which is removed when it is complete. */
async function record(talk, options) {
  prompt(talk, options);
  const { begin: play } = talk;
  const directory = await mkdtemp(join(tmpdir(), "ringback-bench-recordings-"));
  talk.begin = (call, session) => {
    play(call, session);
    const path = join(directory, `${call}.opus`);
    const recording = session.record({ path, channels: "both", layout: "stereo" });
    void recording.finished.then(() => rm(path, { force: true }));
  };
  talk.close = () => rm(directory, { recursive: true, force: true });
}

function listen(talk, options) {
  prompt(talk, options);
  const { begin: play } = talk;
  talk.begin = (call, session) => {
    play(call, session);
    hear(talk, session);
  };
}

/** As an agent that speaks and hears has it: samples go out as they come, from this thread, and come in to it. */
async function live(talk, { file }) {
  const feeder = new Feeder(await speechSamples(file));
  talk.begin = (call, session) => {
    hear(talk, session);
    const writer = session.playPcm({ rateHz: SPEECH_RATE_HZ, place: "live" }, { onMark() {} });
    feeder.add(call, writer);
  };
  talk.end = (call) => feeder.remove(call);
  talk.close = async () => feeder.stop();
}

async function liveVad(talk, options) {
  await live(talk, options);
  const { begin } = talk;
  talk.begin = (call, session) => {
    begin(call, session);
    session.watchSpeech({}, () => {});
  };
}

/** Each call with the one before it. */
function bridge(talk) {
  let waiting = null;
  talk.begin = (call, session) => {
    const first = waiting;
    waiting = first === null ? { call, session } : null;
    if (first === null) return;
    const [there, back] = [createPacketRingMemory(), createPacketRingMemory()];
    first.session.bridge({ to: there, from: back });
    session.bridge({ to: back, from: there });
  };
  talk.end = (call) => {
    if (waiting?.call === call) waiting = null;
  };
}

function hear(talk, session) {
  session.listen({ rateHz: SPEECH_RATE_HZ }, () => {
    talk.framesHeard += 1;
  });
}
