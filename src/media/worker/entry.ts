// A media worker's thread begins here.
import { createClockFrom } from "../../platform/clock.ts";
import { systemRandom } from "../../platform/random.ts";
import { systemTimers } from "../../platform/timers.ts";
import { connectToParent } from "../../platform/worker-thread.ts";
import { LocalMediaHost } from "../local-media-host.ts";
import { createTransportEngine, type TransportEngine } from "../transport-engine.ts";
import { FrameBatcher } from "./frame-batch.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./messages.ts";
import { workerFigures } from "./shared-stats.ts";
import { toWireError } from "./wire-error.ts";
import { WorkerCalls } from "./worker-calls.ts";
import { createWorkerLogger } from "./worker-logger.ts";

const parent = connectToParent<FromWorker, ToWorker>();
const start = parent.data as WorkerStart;
const clock = createClockFrom(start.clockOriginMs);
const post = (message: FromWorker): void => parent.post(message);

try {
  const engine = await createTransportEngine({ ...start.engine, clock, logger: createWorkerLogger(post) });
  parent.listen(createMessageHandler(engine));
  post({ type: "ready", port: engine.port, addresses: engine.addresses });
} catch (error) {
  post({ type: "start-failed", error: toWireError(error) });
  parent.close();
}

function createMessageHandler(engine: TransportEngine): (message: ToWorker) => void {
  const host = new LocalMediaHost({
    engine,
    clock,
    timers: systemTimers,
    random: systemRandom,
    logger: createWorkerLogger(post),
    encoderComplexity: start.encoderComplexity,
  });
  const [frames, samples] = [createBatcher("frames", 0), createBatcher("samples", 1)];
  const refreshFigures = (): void => {
    const { lateTicks, skippedSlots, worstLateMs } = host.clockStats();
    const framesDropped = frames.dropped + samples.dropped;
    const datagramsDropped = sum(engine.stats().dropped);
    workerFigures.write(
      { lateTicks, skippedSlots, worstLateMs, datagramsDropped, framesDropped },
      start.figures,
    );
    Atomics.add(start.beats, 0, 1);
  };
  const calls = new WorkerCalls({
    host,
    timers: systemTimers,
    frames,
    samples,
    post,
    useCertificate: (certificate) => engine.useCertificate(certificate),
    loggerFor: (call) => createWorkerLogger(post, call),
    refreshFigures,
    onShutDown: () => parent.close(),
  });
  return (message) => calls.handle(message);
}

/** @param index Of its counter among those of the batches taken. */
function createBatcher(type: "frames" | "samples", index: number): FrameBatcher {
  return new FrameBatcher({
    send: (buffer, usedBytes) => parent.post({ type, buffer, usedBytes }, [buffer]),
    batchesTaken: start.batchesTaken.subarray(index, index + 1),
    schedule: (flush) => void setImmediate(flush),
  });
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
