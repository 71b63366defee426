import type { AudioDescription, LocalAudio } from "../core/sdp/model.ts";
import { RtcpSession, type RtcpStats } from "../core/transport/rtp/rtcp-session.ts";
import type { RtpReceiverStats } from "../core/transport/rtp/rtp-receiver.ts";
import type { TelephoneEventStats } from "../core/transport/rtp/telephone-event.ts";
import type { DigitOptions, DigitsOutcome } from "../core/transport/rtp/telephone-event-sender.ts";
import type { Logger } from "../logger.ts";
import type { Clock } from "../platform/clock.ts";
import type { Random } from "../platform/random.ts";
import { CallAudio } from "./call-audio.ts";
import type { EncodedPrompt } from "./encoded-prompt.ts";
import type {
  MediaDownReason,
  MediaEngine,
  MediaLeg,
  MediaLegListener,
  MediaLegState,
  MediaLegStats,
} from "./engine.ts";
import { IncomingAudio, type IncomingAudioListener } from "./incoming-audio.ts";
import type { SpeechNews, SpeechWatchOptions } from "./listening/speech-watch.ts";
import type { MediaClock, Ticker } from "./media-clock.ts";
import { OutgoingAudio } from "./outgoing-audio.ts";
import type { PcmListener, PcmPlaybackOptions } from "./pcm-playback.ts";
import type { Playback, PlaybackOptions } from "./playback.ts";
import { OPUS_CLOCK_RATE_HZ } from "./rtp-clock.ts";
import type {
  BridgeEnds,
  ListenOptions,
  MediaRecording,
  Ongoing,
  PcmWriter,
  RecorderOptions,
  SessionAudio,
} from "./session-audio.ts";

/** What a session reports, each but digits and frames at most once. Nothing is reported after `close`. */
export interface MediaSessionListener extends IncomingAudioListener {
  /** ICE has a working pair. */
  onIceConnected(): void;
  /** ICE and DTLS are up: audio can flow. */
  onConnected(): void;
  /** The transport was up and is not any more. `reason`: where the engine knows it. */
  onLost(reason?: MediaDownReason): void;
  /** The transport never came up. */
  onFailed(reason?: MediaDownReason): void;
  onFirstRtpOut(): void;
}

export interface MediaSessionOptions {
  readonly engine: MediaEngine;
  readonly offer: AudioDescription;
  readonly clock: MediaClock;
  readonly now: Clock;
  readonly random: Random;
  readonly listener: MediaSessionListener;
  readonly logger: Logger;
  /** Effort of live encoding, 0-10. Default 5. */
  readonly encoderComplexity?: number;
  /** For the owner: the session was closed, by whomever. */
  readonly onClosed?: () => void;
}

export interface MediaStats {
  readonly packetsSent: number;
  /** Packets that the transport did not take. */
  readonly packetsNotSent: number;
  /** Slots without a packet, because the program was held up. */
  readonly slotsSkipped: number;
  readonly received: RtpReceiverStats;
  readonly telephoneEvents: Readonly<TelephoneEventStats>;
  readonly rtcp: RtcpStats;
  readonly transport: MediaLegStats;
}

/**
 * What became of digits that were to be sent. `unsupported`: the peer's SDP has no telephone events. `replaced`: they were tones, and
 * something else was played in their place.
 */
export type SendDigitsOutcome = DigitsOutcome | "unsupported" | "replaced";

/** What there is once the transport is open. */
interface Attached {
  readonly leg: MediaLeg;
  readonly outgoing: OutgoingAudio;
  readonly audio: CallAudio;
  readonly rtcp: RtcpSession;
}

/** One call's audio: joins the transport with the packets that go out and come in. */
export class MediaSession implements Ticker, SessionAudio {
  readonly #clock: MediaClock;
  readonly #now: Clock;
  readonly #listener: MediaSessionListener;
  readonly #opusType: number;
  readonly #telephoneEventType: number | null;
  readonly #incoming: IncomingAudio;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #encoderComplexity: number;
  readonly #onClosed: (() => void) | undefined;
  #attached: Attached | null = null;
  #isClosed = false;
  #isStarted = false;
  #wasConnected = false;
  #isDown = false;
  #hasSent = false;

  /**
   * Opens the transport toward the peer that the offer describes. Nothing is sent yet.
   *
   * @throws {RingbackError} `MEDIA_ENGINE_FAILED`.
   */
  static async open(options: MediaSessionOptions): Promise<MediaSession> {
    const session = new MediaSession(options);
    const leg = await options.engine.openLeg(options.offer, session.#legListener());
    session.#attach(leg);
    return session;
  }

  private constructor(options: MediaSessionOptions) {
    this.#clock = options.clock;
    this.#now = options.now;
    this.#random = options.random;
    this.#listener = options.listener;
    this.#logger = options.logger;
    this.#encoderComplexity = options.encoderComplexity ?? 5;
    this.#onClosed = options.onClosed;
    this.#opusType = options.offer.opus.payloadType;
    this.#telephoneEventType = options.offer.telephoneEvent?.payloadType ?? null;
    this.#incoming = new IncomingAudio({
      opusType: this.#opusType,
      telephoneEventType: this.#telephoneEventType,
      listener: options.listener,
      onDigitStart: () => this.#attached?.outgoing.interrupt("digit"),
    });
  }

  /** Our side's parameters, for the SDP. */
  get local(): LocalAudio {
    return this.#opened.leg.local;
  }

  /** Starts ICE and DTLS. Called once the peer knows our answer. */
  connect(): void {
    if (!this.#isClosed) this.#opened.leg.connect();
  }

  /**
   * Starts the stream: one packet at once, then one per slot without a gap until the end, silence when nothing is played.
   * Called after the accept's 200: the user's phone counts the call from the first packet on. Idempotent.
   */
  startRtp(): void {
    if (this.#isStarted || this.#isClosed) return;
    this.#isStarted = true;
    this.#opened.outgoing.start(this.#clock.add(this), this.#now.nowMs());
    this.#reportFirstRtpOut();
  }

  play(prompts: readonly EncodedPrompt[], options: PlaybackOptions = {}): Playback {
    return this.#opened.audio.play(prompts, options);
  }

  playPcm(options: PcmPlaybackOptions, listener: PcmListener): PcmWriter {
    return this.#opened.audio.playPcm(options, listener);
  }

  listen(options: ListenOptions, onSamples: (samples: Int16Array) => void): Ongoing {
    return this.#opened.audio.listen(options, onSamples);
  }

  watchSpeech(options: SpeechWatchOptions, onSpeech: (news: SpeechNews) => void): Ongoing {
    return this.#opened.audio.watchSpeech(options, onSpeech);
  }

  record(options: RecorderOptions): MediaRecording {
    return this.#opened.audio.record(options);
  }

  bridge(ends: BridgeEnds): Ongoing {
    return this.#opened.audio.bridge(ends);
  }

  /**
   * Sends keys as telephone events (RFC 4733), after those that still wait. Asked before `startRtp`, they wait for it.
   *
   * @param digits `0`–`9`, `*`, `#`, `A`–`D`, and `w` for a wait of 500 ms.
   * @returns Resolves when all are out, or with the end of the call.
   * @throws {RingbackError} `OPTION_INVALID`.
   */
  sendDigits(digits: string, options: DigitOptions = {}): Promise<SendDigitsOutcome> {
    return new Promise((resolve) => {
      if (this.#telephoneEventType === null) resolve("unsupported");
      else if (this.#isClosed) resolve("call-ended");
      else this.#opened.outgoing.digits.push(digits, options, resolve);
    });
  }

  /** Received packets go to the listener's `onFrame` from now on, or no longer. At first they do not. */
  setFramesWanted(areWanted: boolean): void {
    this.#incoming.areFramesWanted = areWanted;
  }

  stats(): MediaStats {
    const { leg, outgoing, rtcp } = this.#opened;
    return {
      packetsSent: outgoing.packetsSent,
      packetsNotSent: outgoing.packetsNotSent,
      slotsSkipped: outgoing.slotsSkipped,
      received: this.#incoming.receiver.stats(),
      telephoneEvents: { ...this.#incoming.digits.stats },
      rtcp: rtcp.stats(),
      transport: leg.stats(),
    };
  }

  /** Ends playback and stream, says BYE and releases the transport. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#clock.remove(this);
    this.#incoming.close();
    const { leg, outgoing, audio, rtcp } = this.#opened;
    const nowMs = this.#now.nowMs();
    outgoing.close();
    audio.close(nowMs);
    try {
      // RFC 3550 §6.3.7: who has sent nothing says no BYE.
      if (this.#isUp && outgoing.packetsSent > 0) leg.sendRtcp(rtcp.bye(nowMs, this.#now.wallMs()));
    } finally {
      leg.close();
      this.#onClosed?.();
    }
  }

  /** For the media clock. */
  tick(slot: number): void {
    if (this.#isClosed) return;
    const nowMs = this.#now.nowMs();
    const { outgoing, audio, rtcp } = this.#opened;
    if (!outgoing.send(slot, nowMs)) return;
    if (!this.#hasSent) this.#reportFirstRtpOut();
    this.#incoming.tick(nowMs);
    audio.tick(nowMs);
    if (nowMs >= rtcp.deadlineMs) this.#sendReport(nowMs);
  }

  /** For the media clock: without its ticks the stream is dead. */
  tickFailed(): void {
    this.#onLegState("failed", "engine-error");
  }

  get #isUp(): boolean {
    return this.#wasConnected && !this.#isDown;
  }

  get #opened(): Attached {
    if (this.#attached === null) throw new Error("The session is used before it is open.");
    return this.#attached;
  }

  #attach(leg: MediaLeg): void {
    const rtcp = new RtcpSession({
      ssrc: leg.local.ssrc,
      cname: leg.local.cname,
      clockRateHz: OPUS_CLOCK_RATE_HZ,
      receiver: this.#incoming.receiver,
      random: this.#random,
    });
    const outgoing = new OutgoingAudio({
      leg,
      rtcp,
      opusType: this.#opusType,
      telephoneEventType: this.#telephoneEventType,
      random: this.#random,
    });
    const audio = new CallAudio({
      incoming: this.#incoming,
      outgoing,
      clock: this.#now,
      logger: this.#logger,
      encoderComplexity: this.#encoderComplexity,
    });
    this.#attached = { leg, outgoing, audio, rtcp };
  }

  #reportFirstRtpOut(): void {
    if (this.#hasSent || this.#opened.outgoing.packetsSent === 0) return;
    this.#hasSent = true;
    this.#listener.onFirstRtpOut();
  }

  #sendReport(nowMs: number): void {
    if (!this.#isUp || this.#isClosed) return;
    const { leg, rtcp } = this.#opened;
    const report = rtcp.poll(nowMs, this.#now.wallMs());
    if (report !== null) leg.sendRtcp(report);
  }

  #legListener(): MediaLegListener {
    return {
      onIceConnected: () => {
        if (!this.#isClosed) this.#listener.onIceConnected();
      },
      onState: (state, reason) => this.#onLegState(state, reason),
      onRtp: (packet) => this.#incoming.receive(packet, this.#now.nowMs()),
      onRtcp: (packet) => this.#onRtcp(packet),
    };
  }

  #onLegState(state: MediaLegState, reason?: MediaDownReason): void {
    if (this.#isClosed || this.#isDown) return;
    if (state === "connected") {
      if (this.#wasConnected) return;
      this.#wasConnected = true;
      this.#listener.onConnected();
      return;
    }
    this.#isDown = true;
    if (this.#wasConnected) this.#listener.onLost(reason);
    else this.#listener.onFailed(reason);
  }

  #onRtcp(packet: Uint8Array): void {
    if (!this.#isClosed) this.#attached?.rtcp.receive(packet, this.#now.nowMs());
  }
}
