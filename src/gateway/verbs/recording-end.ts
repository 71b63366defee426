import type { HostedSession } from "../../media/index.ts";
import type { DigitQueue } from "./digit-queue.ts";
import type { RecordingResult, RecordOptions } from "./types.ts";
import type { VerbCall } from "./verb-call.ts";

export type EndedBy = RecordingResult["endedBy"];

/** Silence that the detection itself needs to be sure. */
const MIN_SILENCE_MS = 300;

/**
 * Watches for what ends a recording: its length, a key, silence.
 *
 * @param stop Called at each of them.
 * @returns Stops watching.
 */
export function watchForEnd(
  call: VerbCall,
  session: HostedSession,
  digits: DigitQueue,
  options: Pick<RecordOptions, "maxMs" | "finishOnKey" | "endOnSilenceMs">,
  stop: (endedBy: EndedBy) => void,
): () => void {
  const releases: (() => void)[] = [];
  const { maxMs, finishOnKey, endOnSilenceMs } = options;
  if (maxMs !== undefined) {
    const timer = call.timers.setTimer(maxMs, () => stop("max-duration"));
    releases.push(() => call.timers.clearTimer(timer));
  }
  if (finishOnKey !== null && finishOnKey !== undefined) {
    releases.push(watchKey(call, digits, finishOnKey, () => stop("finish-key")));
  }
  if (endOnSilenceMs !== undefined) {
    releases.push(watchSilence(call, session, endOnSilenceMs, () => stop("silence")));
  }
  return () => {
    for (const release of releases) release();
  };
}

/** Keys pressed meanwhile are the recording's: no `gather` that follows is to find them. */
function watchKey(call: VerbCall, digits: DigitQueue, key: string, stop: () => void): () => void {
  digits.clear();
  const onDigit = ({ digit }: { readonly digit: string }): void => {
    if (digit === key) stop();
  };
  call.events.on("digit", onDigit);
  return () => {
    call.events.off("digit", onDigit);
    digits.clear();
  };
}

function watchSilence(
  call: VerbCall,
  session: HostedSession,
  silenceMs: number,
  stop: () => void,
): () => void {
  const { timers, clock } = call;
  let timer: object | null = timers.setTimer(silenceMs, stop);
  const disarm = (): void => {
    if (timer !== null) timers.clearTimer(timer);
    timer = null;
  };
  const watching = session.watchSpeech(
    { endSilenceMs: Math.min(MIN_SILENCE_MS, silenceMs) },
    ({ type, atMs }) => {
      disarm();
      if (type === "end") timer = timers.setTimer(Math.max(0, atMs + silenceMs - clock.nowMs()), stop);
    },
  );
  // Without detection nobody knows of silence: the recording ends by its other means.
  void watching.finished.then((end) => {
    if (end === "failed") disarm();
  });
  return () => {
    disarm();
    watching.stop();
  };
}
