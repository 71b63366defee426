import type { HostedSession, Ongoing } from "../../media/index.ts";
import { callEnded } from "../call-errors.ts";
import { BoundedStream } from "./bounded-stream.ts";
import { optionError, requireRange } from "./option-checks.ts";
import { PcmChannel } from "./pcm-channel.ts";
import type {
  AudioOptions,
  AudioSink,
  AudioStream,
  DetectSpeechOptions,
  OpusRateHz,
  SpeechEvent,
  SpeechEvents,
} from "./types.ts";
import type { VerbCall } from "./verb-call.ts";

const RATES_HZ: readonly number[] = [8_000, 16_000, 24_000, 48_000];
const PIECE_MS = 20;
const MAX_BUFFER_MS = 60_000;
const MAX_SPEECH_EVENTS = 256;

/** @throws {RingbackError} `OPTION_INVALID`. */
export function listenTo(call: VerbCall, options: AudioOptions): AudioStream {
  const { rateHz = 16_000, bufferMs = 2_000, signal } = options;
  requireRate(rateHz);
  requireRange("bufferMs", bufferMs, PIECE_MS, MAX_BUFFER_MS);
  const stop = begin(call, signal, (session) =>
    session.listen({ rateHz }, (samples) => stream.push(samples.slice())),
  );
  const stream = new BoundedStream<Int16Array>(Math.floor(bufferMs / PIECE_MS), stop.ask);
  void stop.finished.then(() => stream.end());
  return Object.assign(stream, { rateHz, stop: () => void stream.return() });
}

export function detectSpeech(call: VerbCall, options: DetectSpeechOptions): SpeechEvents {
  const { signal, ...watchOptions } = options;
  requireRange("endSilenceMs", options.endSilenceMs, 100, 10_000);
  const stop = begin(call, signal, (session) =>
    session.watchSpeech(watchOptions, ({ type, atMs }) =>
      stream.push({ type, atMs: Math.round((atMs - call.startedAtMs) * 10) / 10 }),
    ),
  );
  const stream = new BoundedStream<SpeechEvent>(MAX_SPEECH_EVENTS, stop.ask);
  void stop.finished.then(() => stream.end());
  return Object.assign(stream, { stop: () => void stream.return() });
}

/** @throws {RingbackError} `OPTION_INVALID`. */
export function openSink(call: VerbCall, rateHz: OpusRateHz): AudioSink {
  requireRate(rateHz);
  let isEnded = false;
  const opening = call
    .media()
    .then((session) => (session === null ? null : new PcmChannel(session, rateHz, { place: "live" })));
  return {
    rateHz,
    async write(samples) {
      const channel = await opening;
      if (channel === null || call.endReason !== null) {
        throw callEnded(call.id, call.endReason ?? "local-hangup", "write", null);
      }
      if (isEnded) throw optionError("samples", "came after end()");
      await channel.write(samples);
    },
    clear: () => void opening.then((channel) => channel?.clear()),
    mark: async () => (await opening)?.mark() ?? "call-ended",
    async end() {
      isEnded = true;
      const channel = await opening;
      channel?.finish();
      await channel?.playback.finished;
    },
  };
}

/** Something that goes on in the media, from when there is any until it is stopped. */
function begin(
  call: VerbCall,
  signal: AbortSignal | undefined,
  start: (session: HostedSession) => Ongoing,
): { readonly ask: () => void; readonly finished: Promise<unknown> } {
  let isStopped = signal?.aborted ?? false;
  let ongoing: Ongoing | null = null;
  const ask = (): void => {
    isStopped = true;
    ongoing?.stop();
  };
  signal?.addEventListener("abort", ask, { once: true });
  const finished = call.media().then(async (session) => {
    if (session !== null && !isStopped) {
      ongoing = start(session);
      await ongoing.finished;
    }
    signal?.removeEventListener("abort", ask);
  });
  return { ask, finished };
}

function requireRate(rateHz: number): void {
  if (RATES_HZ.includes(rateHz)) return;
  throw optionError("rateHz", `must be 8000, 16000, 24000 or 48000, got ${rateHz}`);
}
