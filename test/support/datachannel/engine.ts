import type { PeerConnection, RtcConfig } from "node-datachannel";
import { ipVersion } from "../../../src/core/sdp/ip-version.ts";
import type { AudioDescription, LocalAudio } from "../../../src/core/sdp/model.ts";
import { RingbackError } from "../../../src/errors.ts";
import { type Logger, silentLogger } from "../../../src/logger.ts";
import type { MediaEngine, MediaLeg, MediaLegListener } from "../../../src/media/engine.ts";
import { type Random, randomUint32, systemRandom } from "../../../src/platform/random.ts";
import { systemTimers, type Timers } from "../../../src/platform/timers.ts";
import { DatachannelLeg } from "./leg.ts";
import { readLocalAnswer, withPublicAddress } from "./local.ts";
import { toRemoteOffer } from "./offer.ts";

export interface DatachannelEngineOptions {
  /** Address of the interface to use. Default: all but loopback. */
  readonly bindAddress?: string;
  /** UDP ports for calls, both ends included; each call takes one. Default: what the system gives. */
  readonly portRange?: { readonly begin: number; readonly end: number };
  /** The address that a 1:1 NAT shows for ours, put into the SDP. WhatsApp does not need it; a strict firewall may. */
  readonly publicAddress?: string;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly timers?: Timers;
}

type Datachannel = typeof import("node-datachannel");

const NAME = "datachannel";

/** Host candidates take a millisecond; a stuck interface must not hold up the answer. */
const GATHERING_TIMEOUT_MS = 2_000;

/**
 * A media engine on libdatachannel: a UDP socket and native DTLS-SRTP per call.
 *
 * @throws {RingbackError} `OPTION_INVALID`; `MEDIA_ENGINE_FAILED` when the native binary is not there.
 */
export async function createDatachannelEngine(options: DatachannelEngineOptions = {}): Promise<MediaEngine> {
  checkOptions(options);
  return new DatachannelEngine(await loadDatachannel(), options);
}

class DatachannelEngine implements MediaEngine {
  readonly name: string = NAME;
  readonly #datachannel: Datachannel;
  readonly #config: RtcConfig;
  readonly #publicAddress: string | null;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #timers: Timers;
  readonly #legs = new Set<DatachannelLeg>();
  #isClosed = false;
  #opened = 0;

  constructor(datachannel: Datachannel, options: DatachannelEngineOptions) {
    this.#datachannel = datachannel;
    // No ICE servers: nobody but the peer is ever called.
    this.#config = {
      iceServers: [],
      ...(options.bindAddress === undefined ? {} : { bindAddress: options.bindAddress }),
      ...(options.portRange === undefined
        ? {}
        : { portRangeBegin: options.portRange.begin, portRangeEnd: options.portRange.end }),
    };
    this.#publicAddress = options.publicAddress ?? null;
    this.#random = options.random ?? systemRandom;
    this.#logger = options.logger ?? silentLogger;
    this.#timers = options.timers ?? systemTimers;
  }

  async openLeg(offer: AudioDescription, listener: MediaLegListener): Promise<MediaLeg> {
    if (this.#isClosed) throw failed("The media engine is closed.", "closed");
    const remoteOffer = toRemoteOffer(offer);
    const ssrc = randomUint32(this.#random);
    const cname = Buffer.from(this.#random(12)).toString("base64url");
    const peer = this.#createPeer();
    let leg: DatachannelLeg | null = null;
    try {
      // The track must be there before the remote description, otherwise it is closed at once.
      const track = peer.addTrack(this.#describeTrack(offer, ssrc, cname));
      leg = new DatachannelLeg({
        peer,
        track,
        offer,
        listener,
        logger: this.#logger,
        onClose: (closed) => this.#legs.delete(closed),
      });
      this.#legs.add(leg);
      await this.#gather(peer, remoteOffer);
      // The engine may have been closed while this leg was gathering.
      if (!this.#legs.has(leg)) throw failed("The media engine was closed.", "closed");
      leg.setLocal(this.#readLocal(peer, ssrc, cname));
      return leg;
    } catch (error) {
      if (leg === null) peer.close();
      else leg.close();
      throw toEngineError(error);
    }
  }

  close(): Promise<void> {
    this.#isClosed = true;
    // The library's own cleanup() is for the whole process, other users of it included, and may block: not called.
    for (const leg of this.#legs) leg.close();
    return Promise.resolve();
  }

  #createPeer(): PeerConnection {
    this.#opened += 1;
    try {
      return new this.#datachannel.PeerConnection(`leg-${this.#opened}`, this.#config);
    } catch (error) {
      throw toEngineError(error);
    }
  }

  #describeTrack(offer: AudioDescription, ssrc: number, cname: string): InstanceType<Datachannel["Audio"]> {
    const audio = new this.#datachannel.Audio(offer.mid, "SendRecv");
    audio.addOpusCodec(offer.opus.payloadType);
    if (offer.telephoneEvent !== null) {
      audio.addAudioCodec(offer.telephoneEvent.payloadType, "telephone-event/8000");
    }
    audio.addSSRC(ssrc, cname);
    return audio;
  }

  #gather(peer: PeerConnection, remoteOffer: string): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#timers.setTimer(GATHERING_TIMEOUT_MS, resolve);
      const finish = (): void => {
        this.#timers.clearTimer(timer);
        resolve();
      };
      peer.onGatheringStateChange((state) => {
        if (state === "complete") finish();
      });
      try {
        peer.setRemoteDescription(remoteOffer, "offer");
      } catch (error) {
        this.#timers.clearTimer(timer);
        throw error;
      }
      // Without STUN servers gathering is over when the call returns.
      if (peer.gatheringState() === "complete") finish();
    });
  }

  #readLocal(peer: PeerConnection, ssrc: number, cname: string): LocalAudio {
    const sdp = peer.localDescription()?.sdp;
    const answer = sdp === undefined ? null : readLocalAnswer(sdp);
    if (answer === null) throw failed("libdatachannel gave no usable answer.", "no answer");
    if (answer.candidates.length === 0) {
      throw noLocalCandidate();
    }
    const candidates =
      this.#publicAddress === null
        ? answer.candidates
        : withPublicAddress(answer.candidates, this.#publicAddress);
    // RFC 8866 §5.2: numeric; 31 bits keep every parser content.
    const sessionId = String(randomUint32(this.#random) >>> 1);
    return { ...answer, candidates, ssrc, cname, sessionId };
  }
}

async function loadDatachannel(): Promise<Datachannel> {
  try {
    return await import("node-datachannel");
  } catch (error) {
    throw new RingbackError(
      "MEDIA_ENGINE_FAILED",
      `The native library of node-datachannel could not be loaded on ${process.platform}-${process.arch}. Install the dependencies without --omit=optional.`,
      { details: { engine: NAME, reason: "not loadable" }, cause: error },
    );
  }
}

function checkOptions({ bindAddress, publicAddress, portRange }: DatachannelEngineOptions): void {
  if (bindAddress !== undefined) requireAddress("bindAddress", bindAddress);
  if (publicAddress !== undefined) requireAddress("publicAddress", publicAddress);
  if (portRange === undefined) return;
  const { begin, end } = portRange;
  const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;
  if (isPort(begin) && isPort(end) && begin <= end) return;
  throw new RingbackError(
    "OPTION_INVALID",
    `portRange must be two ports of 1-65535 in rising order, got ${begin}-${end}.`,
    { details: { option: "portRange" } },
  );
}

function requireAddress(option: string, address: string): void {
  if (ipVersion(address) !== null) return;
  throw new RingbackError("OPTION_INVALID", `${option} must be an IP address, got "${address}".`, {
    details: { option },
  });
}

function failed(message: string, reason: string): RingbackError<"MEDIA_ENGINE_FAILED"> {
  return new RingbackError("MEDIA_ENGINE_FAILED", message, { details: { engine: NAME, reason } });
}

function noLocalCandidate(cause?: unknown): RingbackError<"MEDIA_ENGINE_FAILED"> {
  return new RingbackError(
    "MEDIA_ENGINE_FAILED",
    "No UDP port could be opened for the call. bindAddress must be an address of this machine, and portRange must have a free port for each call.",
    { details: { engine: NAME, reason: "no local candidate" }, cause },
  );
}

function toEngineError(error: unknown): RingbackError {
  if (error instanceof RingbackError) return error;
  // libdatachannel tells its errors apart by their text alone.
  if (error instanceof Error && error.message.includes("gather local ICE candidates")) {
    return noLocalCandidate(error);
  }
  return new RingbackError(
    "MEDIA_ENGINE_FAILED",
    "libdatachannel could not open a media leg for the offer.",
    {
      details: { engine: NAME, reason: "library error" },
      cause: error,
    },
  );
}
