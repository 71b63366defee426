import { basename } from "node:path";
import type { Command } from "commander";
import { compareAudio } from "../core/audio/similarity.ts";
import { serializeWav } from "../core/audio/wav.ts";
import type { Call } from "../gateway/call.ts";
import { createGateway } from "../gateway/gateway.ts";
import type { TimelineEntry, TimelineStep } from "../gateway/timeline.ts";
import { writeFile } from "../platform/write-file.ts";
import { createSimulator, decodeAudioFile, type PhoneCallReport } from "../simulator/index.ts";
import type { CliIo } from "./io.ts";
import { BUNDLED_SAMPLE } from "./serve.ts";

const SAMPLE_RATE_HZ = 48_000;
const HEARD_FILE = "heard.wav";
const DEMO_FOLDER = "data/demo";
/** The sample through Opus is above 0.95, the pauses of a busy machine included; other speech is below 0.5. */
const MIN_SIMILARITY = 0.8;

export function addDemoCommand(program: Command, io: CliIo): void {
  program
    .command("demo")
    .description(
      "make one whole call on this machine: a simulated WhatsApp calls, hears the sample and checks it",
    )
    .action(() => demo(io));
}

async function demo(io: CliIo): Promise<void> {
  io.out("A WhatsApp call on this machine: signed webhook, Graph API, UDP, DTLS-SRTP and Opus are real,");
  io.out("WhatsApp and the caller's phone are simulated. No network, no account.\n");
  io.out("Preparing the audio …");
  const sample = await decodeAudioFile(BUNDLED_SAMPLE);
  const report = await placeCall(io);
  const heard = report.heardPcm();
  await writeFile(
    HEARD_FILE,
    serializeWav({ sampleRateHz: SAMPLE_RATE_HZ, channelCount: 1, samples: heard }),
  );
  const { similarity } = compareAudio(sample, heard, SAMPLE_RATE_HZ);
  conclude(io, report, similarity);
}

/** Starts both sides, places one call, prints its timeline, and closes both sides. */
async function placeCall(io: CliIo): Promise<PhoneCallReport> {
  const simulator = createSimulator();
  await simulator.start();
  const gateway = createGateway({
    token: simulator.token,
    appSecret: simulator.appSecret,
    verifyToken: simulator.verifyToken,
    phoneNumbers: simulator.phoneNumbers.map((number) => number.id),
    graph: { url: simulator.graphUrl },
    // A folder of its own: `ringback serve` may be running in the same place.
    store: { folder: DEMO_FOLDER },
    // A machine without any network has this address, too.
    media: { bindAddress: "127.0.0.1" },
  }).onCall((call) => greet(call, io));
  try {
    await gateway.preload(BUNDLED_SAMPLE);
    const { url } = await gateway.listen({ port: 0 });
    simulator.webhookUrl = url;
    await simulator.verifyWebhook();
    io.out("The phone calls.\n");
    const call = await simulator.call({ voice: { type: "tone", frequencyHz: 440 } });
    return await call.ended;
  } finally {
    await gateway.close();
    await simulator.close();
  }
}

async function greet(call: Call, io: CliIo): Promise<void> {
  for (const entry of call.timeline) printStep(io, entry);
  call.on("step", (entry) => printStep(io, entry));
  const playing = call.play(BUNDLED_SAMPLE);
  await call.answer();
  io.out(`           … ${basename(BUNDLED_SAMPLE)} is playing`);
  await playing;
  await call.hangUp();
}

const STEP_TEXT: Partial<Record<TimelineStep, string>> = {
  webhook: "WhatsApp's webhook came in, with an SDP offer",
  "answer-built": "answer built: one sha-256 fingerprint, setup:active, Opus",
  "pre-accept-sent": "pre_accept sent to the Graph API",
  "pre-accepted": "pre_accept confirmed: WhatsApp took the answer",
  "ice-connected": "ICE found its way",
  "media-connected": "DTLS done, SRTP keys in place",
  "answer-requested": "the program answers the call",
  "accept-sent": "accept sent, with the same SDP",
  accepted: "accept confirmed: the call is answered",
  "first-rtp-out": "first audio packet sent",
  "first-rtp-in": "first audio packet of the caller",
  "terminate-sent": "terminate sent: the program hangs up",
  terminated: "terminate confirmed",
};

function printStep(io: CliIo, entry: TimelineEntry): void {
  const text = STEP_TEXT[entry.step] ?? entry.step;
  const detail = entry.detail === null ? "" : ` (${entry.detail})`;
  io.out(`${entry.atMs.toFixed(1).padStart(8)} ms  ${text}${detail}`);
}

function conclude(io: CliIo, report: PhoneCallReport, similarity: number): void {
  const { firstRtpMs, webhookSentMs } = report.timeline;
  const { packetsLost, packetsReceived } = report.media;
  io.out(`\nWhat the caller heard is in ${HEARD_FILE}, the call's record in ${DEMO_FOLDER}/ringback.db.`);
  if (firstRtpMs === null) {
    io.err(`The caller heard nothing: the call ended (${report.endedBy}) before the first packet.`);
    io.setExitCode(1);
    return;
  }
  const facts = [
    `first audio ${(firstRtpMs - webhookSentMs).toFixed(0)} ms after the webhook`,
    `${packetsLost} of ${packetsReceived + packetsLost} packets lost`,
    `similarity to the sample ${similarity.toFixed(2)}`,
  ].join(", ");
  const heard = similarity >= MIN_SIMILARITY;
  if (heard) io.out(`The call worked: ${facts}.`);
  else io.err(`The caller did not hear the sample: ${facts} (at least ${MIN_SIMILARITY} is needed).`);
  io.setExitCode(heard ? 0 : 1);
}
