import { RingbackError } from "../../errors.ts";
import type { HostedSession, Ongoing, OngoingEnd } from "../../media/index.ts";
import { BoundedStream } from "./bounded-stream.ts";
import { requireRange, requireRate, requireWhole } from "./option-checks.ts";
import type { AudioOptions, AudioStream, DetectSpeechOptions, SpeechEvent, SpeechEvents } from "./types.ts";
import type { VerbCall } from "./verb-call.ts";

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
  void stop.finished.then((end) => (end === "failed" ? stream.fail(listeningFailed()) : stream.end()));
  return Object.assign(stream, { rateHz, stop: () => void stream.return() });
}

export function detectSpeech(call: VerbCall, options: DetectSpeechOptions): SpeechEvents {
  const { signal, ...watchOptions } = options;
  requireRange("endSilenceMs", options.endSilenceMs, 100, 10_000);
  requireWhole("aggressiveness", options.aggressiveness, 0, 3);
  const stop = begin(call, signal, (session) =>
    session.watchSpeech(watchOptions, ({ type, atMs }) =>
      stream.push({ type, atMs: Math.round((atMs - call.startedAtMs) * 10) / 10 }),
    ),
  );
  const stream = new BoundedStream<SpeechEvent>(MAX_SPEECH_EVENTS, stop.ask);
  void stop.finished.then((end) => (end === "failed" ? stream.fail(listeningFailed()) : stream.end()));
  return Object.assign(stream, { stop: () => void stream.return() });
}

/** Something that goes on in the media, from when there is any until it is stopped. */
function begin(
  call: VerbCall,
  signal: AbortSignal | undefined,
  start: (session: HostedSession) => Ongoing,
): { readonly ask: () => void; readonly finished: Promise<OngoingEnd> } {
  let isStopped = signal?.aborted ?? false;
  let ongoing: Ongoing | null = null;
  const ask = (): void => {
    isStopped = true;
    ongoing?.stop();
  };
  signal?.addEventListener("abort", ask, { once: true });
  const running = call.media().then((session): Promise<OngoingEnd> | OngoingEnd => {
    if (session === null || isStopped) return "stopped";
    ongoing = start(session);
    return ongoing.finished;
  });
  const finished = running.finally(() => signal?.removeEventListener("abort", ask));
  return { ask, finished };
}

function listeningFailed(): RingbackError<"MEDIA_ENGINE_FAILED"> {
  const reason = "Listening broke down, or too many listen to this call already: 8 to audio, 4 to speech.";
  return new RingbackError("MEDIA_ENGINE_FAILED", reason, { details: { engine: "listening", reason } });
}
