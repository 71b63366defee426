import type { AudioDescription, LocalAudio } from "../../src/core/sdp/model.ts";
import type { MediaEngine, MediaLeg, MediaLegListener, MediaLegStats } from "../../src/media/index.ts";
import { createTransportEngine } from "../../src/media/transport-engine.ts";

const NO_STATS: MediaLegStats = {
  bytesSent: 0,
  bytesReceived: 0,
  sendsDropped: 0,
  rttMs: null,
  datagramsDropped: 0,
};

/** Legs without a network, up as soon as they are told to connect: a call costs next to nothing. */
export class LightEngine implements MediaEngine {
  readonly name: string = "light";
  #legs = 0;

  openLeg(offer: AudioDescription, listener: MediaLegListener): Promise<MediaLeg> {
    this.#legs += 1;
    return Promise.resolve(createLeg(offer, listener, this.#legs));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function createLeg(offer: AudioDescription, listener: MediaLegListener, number: number): MediaLeg {
  let state: "new" | "connected" | "closed" = "new";
  const connect = (): void => {
    if (state !== "new") return;
    state = "connected";
    setImmediate(() => {
      if (state !== "connected") return;
      listener.onIceConnected();
      listener.onState("connected");
    });
  };
  return {
    local: localAudio(offer, number),
    connect,
    sendRtp: () => state === "connected",
    sendRtcp: () => state === "connected",
    stats: () => NO_STATS,
    close: () => {
      state = "closed";
    },
  };
}

function localAudio(offer: AudioDescription, number: number): LocalAudio {
  return {
    iceUfrag: `ufrag${number}`,
    icePwd: `thePasswordOfALightLeg${number}`,
    sha256Fingerprint: Array.from({ length: 32 }, () => "AB").join(":"),
    setup: offer.setup === "active" ? "passive" : "active",
    candidates: [
      {
        foundation: "1",
        componentId: 1,
        transport: "udp",
        priority: 2_130_706_431,
        address: "127.0.0.1",
        port: 40_000 + (number % 20_000),
        type: "host",
      },
    ],
    ssrc: 1_000 + number,
    cname: `light-${number}`,
    sessionId: String(number),
  };
}

/** Light legs, but real ones toward phones on this machine. */
export async function createMixedEngine(): Promise<MediaEngine> {
  const light = new LightEngine();
  const real = await createTransportEngine({ bindAddress: "127.0.0.1" });
  const isNear = (offer: AudioDescription): boolean =>
    offer.candidates.some(({ address }) => address === "127.0.0.1");
  return {
    name: "mixed",
    openLeg: (offer, listener) => (isNear(offer) ? real : light).openLeg(offer, listener),
    close: () => real.close(),
  };
}
