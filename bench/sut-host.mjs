// A media host as a program under test: answers offers and talks on the calls, mostly by playing the file in a loop.
import { parseArgs } from "node:util";
import { buildAnswer, readAudioDescription } from "../dist/core/sdp/index.js";
import { createPromptCache } from "../dist/media/index.js";
import { serve } from "./sut.mjs";
import { createTalk } from "./talk-on-calls.mjs";
import { threads } from "./thread-probe.mjs";

const { values } = parseArgs({
  options: {
    file: { type: "string" },
    talk: { type: "string", default: "prompt" },
    "leak-kb": { type: "string", default: "0" },
  },
});

/** What is kept of each call on purpose, to see that the soak finds a leak. */
const LEAK_BYTES = Number(values["leak-kb"]) * 1024;
const leaked = [];

/** `workers`: threads that the host's calls run in, besides this one. */
export async function serveHost({ host, workers, facts }) {
  const prompt = await createPromptCache().load(values.file);
  const talk = await createTalk({ kind: values.talk, prompt, file: values.file });
  const sessions = new Map();
  const ended = { packetsSent: 0, packetsReceived: 0, packetsLost: 0 };

  /** Calls that went down by themselves, by reason. */
  const down = {};

  function countDown(reason = "unknown") {
    down[reason] = (down[reason] ?? 0) + 1;
  }

  async function answer({ call, sdp }) {
    const offer = readAudioDescription(sdp, { as: "offer" });
    const session = await host.openSession(offer, {
      onIceConnected() {},
      onConnected: () => session.startRtp(),
      onLost: (reason) => countDown(reason),
      onFailed: (reason) => countDown(reason),
      onFirstRtpIn() {},
      onFirstRtpOut() {},
      onDigit() {},
      onFrame() {},
    });
    sessions.set(call, session);
    talk.begin(call, session);
    return { sdp: buildAnswer(offer, session.local), afterwards: () => session.connect() };
  }

  function hangUp({ call }) {
    const session = sessions.get(call);
    if (session === undefined) return;
    sessions.delete(call);
    add(ended, session.stats());
    talk.end(call);
    session.close();
    if (LEAK_BYTES > 0) leaked.push(Buffer.alloc(LEAK_BYTES, 1));
  }

  async function sample({ gc, looksAtThreads }) {
    const looked = gc || looksAtThreads ? await threads({ gc, workers }) : undefined;
    const sums = { ...ended };
    for (const session of sessions.values()) add(sums, session.stats());
    const status = host.status();
    const datagramsDropped = status.workers.reduce((sum, worker) => sum + worker.datagramsDropped, 0);
    const { framesHeard } = talk;
    return { ...sums, datagramsDropped, framesHeard, calls: sessions.size, down, status, threads: looked };
  }

  async function close() {
    await host.close();
    await talk.close();
  }

  serve({ facts, answer, hangUp, sample, close });
}

function add(sums, { packetsSent, received }) {
  sums.packetsSent += packetsSent;
  sums.packetsReceived += received.packetsReceived;
  sums.packetsLost += received.packetsLost;
}
