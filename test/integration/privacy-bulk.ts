import { RingbackError } from "../../src/errors.ts";
import type { CallHandler } from "../../src/gateway/call.ts";
import { CallRegistry } from "../../src/gateway/call-registry.ts";
import { SoundSources } from "../../src/gateway/verbs/sound-sources.ts";
import { UrlSounds } from "../../src/gateway/verbs/url-sounds.ts";
import type { Logger } from "../../src/logger.ts";
import { createPromptCache, LocalMediaHost, WorkSlices } from "../../src/media/index.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { createRequestPolicy } from "../../src/platform/outgoing-request.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { systemTimers } from "../../src/platform/timers.ts";
import { ScriptedMediaEngine } from "../../src/testing/index.ts";
import type { CallEvent } from "../../src/whatsapp/call-event.ts";
import type { GraphClient } from "../../src/whatsapp/graph-client.ts";
import { keeperInto } from "../support/keeper.ts";
import { VALUES } from "./privacy-day.ts";

/** A client of a Graph API that refuses everything, with an error that quotes what it was sent. */
function refusingGraph(): GraphClient {
  const refuse = async (request: { readonly callId: string; readonly sdp?: string }): Promise<never> => {
    const quote = `${request.callId} of ${VALUES.number}: ${request.sdp ?? ""} with Bearer ${VALUES.token}`;
    throw new RingbackError("GRAPH_UNREACHABLE", `The request failed: ${quote}`, {
      details: { reason: "network", attempts: 3 },
      cause: new Error(quote),
    });
  };
  const connect = (): Promise<never> => Promise.reject(new Error("an incoming call dials nobody"));
  const close = async (): Promise<void> => {};
  return {
    preAccept: refuse,
    accept: refuse,
    reject: refuse,
    terminate: refuse,
    connect,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Calls as the gateway has them, without the network and the store around them: only so can they write 100 MB of log in a test. */
export class BulkCalls {
  readonly #registry: CallRegistry;
  readonly #engine = new ScriptedMediaEngine();
  #calls = 0;

  constructor(logger: Logger, handler: CallHandler) {
    const core = { clock: systemClock, timers: systemTimers, random: systemRandom, logger };
    const slices = new WorkSlices(systemClock, 4);
    const graph = refusingGraph();
    this.#registry = new CallRegistry({
      context: {
        ...core,
        media: new LocalMediaHost({ ...core, engine: this.#engine }),
        sources: new SoundSources({
          prompts: createPromptCache({ maxDurationMs: 1_000, clock: systemClock }),
          urls: new UrlSounds(createRequestPolicy(), systemClock),
          speech: null,
          slices,
        }),
        slices,
        recordingsFolder: "nowhere",
        call: {},
        observer: {},
        handler,
      },
      graphFor: (phoneNumberId) => (phoneNumberId === "100000000000001" ? graph : null),
      maxCalls: 1_000,
    });
  }

  /** Goes through events as if each were of a call of its own, and ends what is left of those. */
  async take(events: readonly CallEvent[]): Promise<void> {
    for (const each of events) {
      const event = {
        ...each,
        callId: `${each.callId.slice(0, -16)}${String(this.#calls).padStart(16, "0")}`,
      };
      if (event.type === "connect" && event.sdpType === "offer") {
        this.#calls += 1;
        const keeper = keeperInto([], {
          clock: systemClock,
          phoneNumberId: event.phoneNumberId,
          number: this.#calls,
        });
        this.#registry.connect(event, systemClock.nowMs(), keeper);
      } else this.#registry.dispatch(event);
    }
    await new Promise((resolve) => setImmediate(resolve));
    await this.#registry.endAll();
    await this.#registry.empty();
    this.#engine.legs.length = 0;
  }
}
