import { buildAnswer, type DtlsSetup, readAudioDescription } from "../../src/core/sdp/index.ts";
import type { SrtpProfile } from "../../src/core/transport/srtp/srtp-profile.ts";
import { createPromptCache, type Digit, type MediaStats } from "../../src/media/index.ts";
import { LocalMediaHost } from "../../src/media/local-media-host.ts";
import type { HostedSession } from "../../src/media/media-host.ts";
import { createTransportEngine, type TransportEngine } from "../../src/media/transport-engine.ts";
import { TransportLeg } from "../../src/media/transport-leg.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { systemTimers } from "../../src/platform/timers.ts";

export interface AnsweringOptions {
  /** Default: all interfaces but loopback. */
  readonly bindAddress?: string;
  /** What the offer is taken to say; the peer, who would do either, follows our answer. Default: what it says. */
  readonly offeredSetup?: DtlsSetup;
}

/** Answers an offer as a gateway does, but for WhatsApp's signalling, plays a file over and over and keeps what comes in. */
export class AnsweringCall implements AsyncDisposable {
  readonly packets: Uint8Array[] = [];
  readonly digits: Digit[] = [];
  readonly answer: string;
  readonly #host: LocalMediaHost;
  readonly #session: HostedSession;
  readonly #leg: TransportLeg;

  private constructor(answer: string, host: LocalMediaHost, session: HostedSession, leg: TransportLeg) {
    this.answer = answer;
    this.#host = host;
    this.#session = session;
    this.#leg = leg;
  }

  static async open(offerSdp: string, file: string, options: AnsweringOptions = {}): Promise<AnsweringCall> {
    const read = readAudioDescription(offerSdp, { as: "offer" });
    const offer = { ...read, setup: options.offeredSetup ?? read.setup };
    const { bindAddress } = options;
    const { engine, legs } = keepLegs(
      await createTransportEngine(bindAddress === undefined ? {} : { bindAddress }),
    );
    const host = new LocalMediaHost({
      engine,
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
    });
    const session = await host.openSession(offer, {
      onConnected: () => session.startRtp(),
      onIceConnected() {},
      onLost() {},
      onFailed() {},
      onFirstRtpIn() {},
      onFirstRtpOut() {},
      onDigit: (digit) => call.digits.push(digit),
      onFrame: (payload) => call.packets.push(payload.slice()),
    });
    const leg = legs[0];
    if (leg === undefined) throw new Error("the session has no leg");
    const call = new AnsweringCall(buildAnswer(offer, session.local), host, session, leg);
    session.setFramesWanted(true);
    session.play([await createPromptCache().load(file)], { loop: true });
    return call;
  }

  /** The caller has our answer. */
  connect(): void {
    this.#session.connect();
  }

  stats(): MediaStats {
    return this.#session.stats();
  }

  /** Null before DTLS is done. */
  get srtpProfile(): SrtpProfile | null {
    return this.#leg.transportStats()?.srtpProfile ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host.close();
  }
}

/** What the engine's own legs know, sessions do not tell. */
function keepLegs(engine: TransportEngine): { engine: TransportEngine; legs: TransportLeg[] } {
  const legs: TransportLeg[] = [];
  const openLeg = engine.openLeg.bind(engine);
  engine.openLeg = async (offer, listener) => {
    const leg = await openLeg(offer, listener);
    if (leg instanceof TransportLeg) legs.push(leg);
    return leg;
  };
  return { engine, legs };
}
