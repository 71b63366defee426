import type { AudioDescription, DtlsSetup } from "../../core/sdp/model.ts";
import type { Clock } from "../../platform/clock.ts";
import { type Random, randomUint32 } from "../../platform/random.ts";
import type { AudioTrack, HeardPacket } from "./audio-track.ts";
import type { PhoneCertificate } from "./certificate.ts";
import type { DigitTiming, PressedDigit } from "./digit-sender.ts";
import type { Ear } from "./ear.ts";
import { IceLiteAgent } from "./ice-lite.ts";
import type { HearOptions } from "./listening.ts";
import type { NetworkSocket } from "./network-socket.ts";
import type { PhoneMedia, PhoneMediaOptions, PhoneMediaParameters, PhoneMediaReport } from "./phone-media.ts";
import type { PhoneQuiet } from "./quiet-detector.ts";
import { RtcpExchange } from "./rtcp-exchange.ts";
import { RtpIn } from "./rtp-in.ts";
import { RtpOut } from "./rtp-out.ts";
import { RtpView } from "./rtp-view.ts";
import { SecureTransport } from "./secure-transport.ts";
import type { HeardSpan, PhoneSound } from "./sound-detector.ts";
import { type PhoneSpeech, type Spoken, toSpeechParts } from "./speech.ts";
import type { StunAddress } from "./stun.ts";
import { encodeUtterance } from "./utterance.ts";
import type { Voice } from "./voice.ts";

export interface SimulatedPhoneParts {
  readonly options: PhoneMediaOptions;
  readonly parameters: PhoneMediaParameters;
  readonly certificate: PhoneCertificate;
  readonly socket: NetworkSocket;
  readonly voice: Voice;
  readonly ear: Ear;
  /** Keeps the audio that is sent. */
  readonly sent: AudioTrack;
  readonly clock: Clock;
  readonly random: Random;
}

/** WhatsApp's relay and the user's phone behind it, on one socket. */
export class SimulatedPhone implements PhoneMedia {
  readonly parameters: PhoneMediaParameters;
  readonly startedAtMs: number;
  readonly firstRtp: Promise<number | null>;
  readonly #parts: SimulatedPhoneParts;
  readonly #ice: IceLiteAgent;
  readonly #in: RtpIn;
  readonly #out: RtpOut;
  readonly #rtcp: RtcpExchange;
  readonly #view = new RtpView();
  #transport: SecureTransport | null = null;
  #resolveFirstRtp: (atMs: number | null) => void = () => {};
  #isAccepted = false;
  #isClosed = false;
  #iceConnectedAtMs: number | null = null;
  #dtlsConnectedAtMs: number | null = null;
  #lastReceivedAtMs: number | null = null;
  #packetsRejected = 0;
  #packetsBeforeDtls = 0;
  #roleConflicts = 0;
  #checksUnauthorized = 0;

  constructor(parts: SimulatedPhoneParts) {
    this.#parts = parts;
    this.parameters = parts.parameters;
    this.startedAtMs = parts.clock.nowMs();
    this.firstRtp = new Promise((resolve) => {
      this.#resolveFirstRtp = resolve;
    });
    this.#ice = new IceLiteAgent({ ufrag: parts.parameters.iceUfrag, pwd: parts.parameters.icePwd });
    this.#in = new RtpIn(parts.options);
    this.#out = new RtpOut({
      ...parts,
      ssrc: parts.parameters.ssrc,
      firstSequenceNumber: randomUint32(parts.random),
      firstTimestamp: randomUint32(parts.random),
      opusPayloadType: parts.options.opusPayloadType,
      telephoneEventPayloadType: parts.options.telephoneEventPayloadType,
      send: (header, payload) => this.#transport?.sendRtp(header, payload) ?? false,
    });
    this.#rtcp = new RtcpExchange({
      clock: parts.clock,
      ssrc: parts.parameters.ssrc,
      received: this.#in,
      sent: this.#out,
      send: (packet) => void this.#transport?.sendRtcp(packet),
    });
    parts.socket.onDatagram(this.#onDatagram);
  }

  get lastReceivedAtMs(): number | null {
    return this.#lastReceivedAtMs;
  }

  applyAnswer(answer: AudioDescription): void {
    if (this.#transport !== null || this.#isClosed) return;
    this.#transport = new SecureTransport({
      certificate: this.#parts.certificate,
      role: dtlsRole(this.#parts.options.setup, answer.setup),
      fingerprints: answer.fingerprints,
      ...(this.#parts.options.srtpProfiles && { srtpProfiles: this.#parts.options.srtpProfiles }),
      send: (datagram) => {
        this.#sendSelected(datagram);
      },
      onConnected: () => {
        this.#onDtlsConnected();
      },
    });
    this.#ice.setRemoteUfrag(answer.iceUfrag);
  }

  markAccepted(): void {
    this.#isAccepted = true;
    this.#speakIfAllowed();
  }

  async sendDigits(digits: string, timing: DigitTiming = {}): Promise<readonly PressedDigit[]> {
    return await this.#out.sendDigits(digits, timing);
  }

  async say(speech: PhoneSpeech): Promise<Spoken> {
    const parts = toSpeechParts(speech, "speech");
    return await this.#out.say(() => encodeUtterance("say", parts));
  }

  goSilent(): void {
    this.#out.stop();
    this.#rtcp.stop();
  }

  report(): PhoneMediaReport {
    const received = this.#in;
    return {
      iceConnectedMs: this.#sinceStart(this.#iceConnectedAtMs),
      dtlsConnectedMs: this.#sinceStart(this.#dtlsConnectedAtMs),
      srtpProfile: this.#transport?.srtpProfile ?? null,
      firstRtpMs: this.#sinceStart(received.firstAtMs),
      lastRtpMs: this.#sinceStart(received.lastAtMs),
      packetsReceived: received.packetsReceived,
      rtcpReceived: this.#rtcp.packetsReceived,
      packetsLost: received.packetsLost,
      packetsDuplicate: received.packetsDuplicate,
      packetsWrongPayloadType: received.packetsWrongPayloadType,
      packetsWrongDuration: received.packetsWrongDuration,
      packetsBeforeAccept: received.packetsBeforeAccept,
      packetsBeforeDtls: this.#packetsBeforeDtls,
      packetsRejected: this.#packetsRejected,
      ssrcCount: received.ssrcCount,
      longestGapMs: received.longestGapMs,
      gapP99Ms: received.gapP99Ms,
      badTimestampSteps: received.badTimestampSteps,
      markers: received.markers,
      digits: received.digits,
      packetsSent: this.#out.packetsSent,
      pressed: this.#out.pressed.map((digit) => ({ ...digit })),
      spoken: this.#out.spoken.map((part) => ({ ...part })),
      network: this.#parts.socket.report,
      roleConflicts: this.#roleConflicts,
      checksUnauthorized: this.#checksUnauthorized,
    };
  }

  heardPcm(): Int16Array {
    return this.#parts.ear.pcm();
  }

  get heardStartMs(): number | null {
    return this.#parts.ear.startMs;
  }

  sentPcm(): Int16Array {
    return this.#parts.sent.pcm();
  }

  get sentStartMs(): number | null {
    return this.#parts.sent.startMs;
  }

  heardPackets(): readonly HeardPacket[] {
    return this.#parts.ear.packets();
  }

  spansHeard(sound: PhoneSound, fromMs: number = Number.NEGATIVE_INFINITY): readonly HeardSpan[] {
    return this.#parts.ear.spans(sound, fromMs);
  }

  lastToneAtMs(frequencyHz: number, fromMs?: number): number | null {
    return this.spansHeard({ type: "tone", frequencyHz }, fromMs).at(-1)?.endedAtMs ?? null;
  }

  hears(sound: PhoneSound | PhoneQuiet, options: HearOptions = {}): Promise<number | null> {
    return this.#parts.ear.hears(sound, options);
  }

  waitForTone(frequencyHz: number, options?: HearOptions): Promise<number | null> {
    return this.hears({ type: "tone", frequencyHz }, options);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#out.stop();
    this.#parts.ear.close();
    this.#transport?.close();
    this.#rtcp.stop();
    this.#resolveFirstRtp(null);
    return this.#parts.socket.close();
  }

  #sinceStart(atMs: number | null): number | null {
    return atMs === null ? null : atMs - this.startedAtMs;
  }

  /** RFC 7983 §7: the first byte tells the protocols of one port apart. */
  readonly #onDatagram = (datagram: Buffer, from: StunAddress): void => {
    if (this.#isClosed) return;
    const first = datagram[0] ?? 255;
    if (first <= 3) this.#onStun(datagram, from);
    else if (first >= 20 && first <= 63) this.#onDtls(datagram, from);
    else if (first >= 128 && first <= 191) this.#onMedia(datagram, from);
    else this.#packetsRejected += 1;
  };

  #onStun(datagram: Buffer, from: StunAddress): void {
    const verdict = this.#ice.receive(datagram, from);
    switch (verdict.type) {
      case "success":
        this.#parts.socket.send(verdict.reply, from);
        if (verdict.nominated) this.#onNominated();
        return;
      case "refused":
        this.#parts.socket.send(verdict.reply, from);
        if (verdict.code === 487) this.#roleConflicts += 1;
        else this.#checksUnauthorized += 1;
        return;
      case "rejected":
        this.#packetsRejected += 1;
        return;
      case "ignored":
        return;
    }
  }

  #onNominated(): void {
    this.#iceConnectedAtMs ??= this.#parts.clock.nowMs();
    this.#transport?.start();
  }

  #onDtls(datagram: Buffer, from: StunAddress): void {
    const isWelcome = this.#ice.isValid(from.address, from.port);
    if (!isWelcome || this.#transport?.receiveDtls(datagram) !== true) this.#packetsRejected += 1;
  }

  #onMedia(datagram: Buffer, from: StunAddress): void {
    const transport = this.#transport;
    if (transport?.isConnected !== true) {
      this.#packetsBeforeDtls += 1;
      return;
    }
    const isAuthentic =
      this.#ice.isValid(from.address, from.port) &&
      (isRtcp(datagram) ? this.#onRtcp(transport, datagram) : this.#onRtp(transport, datagram));
    if (isAuthentic) this.#lastReceivedAtMs = this.#parts.clock.nowMs();
    else this.#packetsRejected += 1;
  }

  #onRtp(transport: SecureTransport, datagram: Buffer): boolean {
    const packet = transport.unprotectRtp(datagram);
    const view = this.#view;
    if (packet === null || !view.read(packet)) return false;
    const nowMs = this.#parts.clock.nowMs();
    const kind = this.#in.add(view, packet, nowMs, this.#isAccepted);
    if (kind === "audio") this.#parts.ear.add(view, packet, nowMs);
    if (this.#isAccepted) this.#resolveFirstRtp(nowMs - this.startedAtMs);
    return true;
  }

  #onRtcp(transport: SecureTransport, datagram: Buffer): boolean {
    const packet = transport.unprotectRtcp(datagram);
    if (packet === null) return false;
    this.#rtcp.receive(packet);
    return true;
  }

  #onDtlsConnected(): void {
    this.#dtlsConnectedAtMs = this.#parts.clock.nowMs();
    this.#parts.socket.beginHarm();
    this.#rtcp.start();
    this.#speakIfAllowed();
  }

  #speakIfAllowed(): void {
    if (this.#isAccepted && this.#transport?.isConnected === true) this.#out.start();
  }

  #sendSelected(datagram: Uint8Array): void {
    const to = this.#ice.selected;
    if (to !== null) this.#parts.socket.send(datagram, to);
  }
}

/** RFC 5761 §4: packet types 192 to 223. */
function isRtcp(datagram: Buffer): boolean {
  const type = datagram[1] ?? 0;
  return type >= 192 && type <= 223;
}

/** RFC 8842 §5.2. The relay serves unless the business says that it does; two that claim one role cannot meet. */
function dtlsRole(own: DtlsSetup, business: DtlsSetup): "client" | "server" {
  if (business === "passive") return "client";
  return business === "actpass" && own === "active" ? "client" : "server";
}
