import { createMediaWorkerPool, LocalMediaHost, type MediaHost } from "../media/index.ts";
import type { GatewayContext } from "./gateway-context.ts";
import type { GatewayOptions } from "./options.ts";

/** Calls in this thread, when the engine was given. */
export function createLocalHost(options: GatewayOptions["media"], context: GatewayContext): MediaHost | null {
  const { engine, encoderComplexity } = options ?? {};
  if (engine === undefined) return null;
  return new LocalMediaHost({
    engine,
    ...(encoderComplexity !== undefined && { encoderComplexity }),
    ...context,
  });
}

/** Calls in worker threads. Throws `MEDIA_ENGINE_FAILED`, `OPTION_INVALID`. */
export function startWorkers(options: GatewayOptions["media"], context: GatewayContext): Promise<MediaHost> {
  const { engine: _, ...media } = options ?? {};
  const { clock, timers, logger } = context;
  return createMediaWorkerPool({ ...media, clock, timers, logger });
}
