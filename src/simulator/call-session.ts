import { RingbackError } from "../errors.ts";
import { checkAnswer } from "./answer-check.ts";
import type { CallIdentity } from "./call-identity.ts";
import { type CallOutcome, toOutcome } from "./call-outcome.ts";
import { CallRecord } from "./call-record.ts";
import { createDeferred, type Deferred } from "./deferred.ts";
import type { CallsRequest } from "./graph/calls-request.ts";
import { type GraphFailure, invalidParameter } from "./graph/graph-failure.ts";
import { watchMedia } from "./media-watch.ts";
import type { DigitTiming, PressedDigit } from "./phone/digit-sender.ts";
import type { HearOptions } from "./phone/listening.ts";
import type { PhoneMedia } from "./phone/phone-media.ts";
import type { PhoneQuiet } from "./phone/quiet-detector.ts";
import type { PhoneSound } from "./phone/sound-detector.ts";
import type { PhoneSpeech, Spoken } from "./phone/speech.ts";
import type {
  GraphRequestRecord,
  PhoneCall,
  PhoneCallEndedBy,
  PhoneCallPhase,
  PhoneCallReport,
} from "./phone-call.ts";
import type { CallWebhookOptions, PhoneCallOptions, ScriptedDigits } from "./phone-call-options.ts";
import type { SimulatorSettings } from "./simulator-options.ts";
import { TimerGroup } from "./timer-group.ts";
import { refuseAction, type UserCallState } from "./user-call-state.ts";
import { type CallWebhook, connectWebhook, terminateWebhook } from "./webhook/payload.ts";

export interface CallSessionOptions {
  readonly identity: CallIdentity;
  readonly call: PhoneCallOptions;
  readonly media: PhoneMedia;
  readonly offerSdp: string;
  readonly settings: SimulatorSettings;
  /** Delivers a webhook with `duplicate` more copies. Never rejects: what was given up is its own to log. */
  deliver(webhook: CallWebhook, duplicate: number): Promise<void>;
}

type CallRequest = Exclude<CallsRequest, { action: "connect" }>;
type AnswerRequest = Extract<CallsRequest, { action: "pre_accept" | "accept" }>;

const PHASES: Readonly<Record<UserCallState["phase"], PhoneCallPhase>> = {
  ringing: "ringing",
  "pre-accepted": "connecting",
  accepted: "active",
  ended: "ended",
};

/** One call that a user places: what the caller does, what the business asks for, and the end. */
export class CallSession implements PhoneCall {
  readonly #record: CallRecord;
  readonly #options: CallSessionOptions;
  readonly #webhooks: CallWebhookOptions;
  readonly #timers = new TimerGroup();
  readonly #accepted: Deferred<boolean> = createDeferred();
  readonly #ended: Deferred<PhoneCallReport> = createDeferred();
  readonly #connectSent: Deferred<void> = createDeferred();
  readonly #connectSettled: Deferred<void> = createDeferred();
  readonly #terminateSettled: Deferred<void> = createDeferred();
  #state: UserCallState = { phase: "ringing" };
  #answerSdp: string | null = null;
  #callbackData: string | null = null;
  #digitsOut: Promise<void> = Promise.resolve();
  #isReachable = true;

  constructor(options: CallSessionOptions) {
    this.#options = options;
    this.#webhooks = options.call.webhooks ?? {};
    this.#record = new CallRecord(options.settings.clock);
  }

  get callId(): string {
    return this.#options.identity.callId;
  }

  get phoneNumberId(): string {
    return this.#options.identity.number.id;
  }

  get media(): PhoneMedia {
    return this.#options.media;
  }

  get answerSdp(): string | null {
    return this.#answerSdp;
  }

  get accepted(): Promise<boolean> {
    return this.#accepted.promise;
  }

  get ended(): Promise<PhoneCallReport> {
    return this.#ended.promise;
  }

  /** Settles when the `terminate` webhook was delivered or given up. */
  get terminateSettled(): Promise<void> {
    return this.#terminateSettled.promise;
  }

  get phase(): PhoneCallPhase {
    return PHASES[this.#state.phase];
  }

  hangUp(): void {
    this.end("caller");
  }

  async sendDigits(digits: string, timing?: DigitTiming): Promise<readonly PressedDigit[]> {
    this.#requireActive("sendDigits", "Digits need");
    return await this.media.sendDigits(digits, timing);
  }

  async say(speech: PhoneSpeech): Promise<Spoken> {
    this.#requireActive("say", "Speech needs");
    return await this.media.say(speech);
  }

  async hears(sound: PhoneSound | PhoneQuiet, options?: HearOptions): Promise<number | null> {
    return await this.media.hears(sound, options);
  }

  async waitForTone(frequencyHz: number, options?: HearOptions): Promise<number | null> {
    return await this.media.waitForTone(frequencyHz, options);
  }

  goSilent(): void {
    this.media.goSilent();
  }

  /** The phone rings: from here on the caller may give up and the answer window runs. */
  ring(): void {
    const { call, settings } = this.#options;
    this.#timers.after(settings.timers.answerWindowMs, () => this.end("not-answered"));
    this.#timers.after(call.giveUpAfterMs, () => this.end("caller"));
  }

  connectWebhook(): CallWebhook {
    const { identity, call, offerSdp } = this.#options;
    const wallMs = this.#record.placedWallMs - (call.offerAgeMs ?? 0);
    return connectWebhook(identity, { sdp: offerSdp, wallMs }, this.#webhooks.statusNoise ?? false);
  }

  markConnectSent(): void {
    this.#record.mark("webhookSent");
    this.#connectSent.resolve();
  }

  markConnectAnswered(): void {
    this.#record.mark("webhookAnswered");
    this.#connectSettled.resolve();
  }

  /** The business has sent a request about the call, so it has read the `connect` webhook. */
  get isKnownToBusiness(): boolean {
    return this.#record.hasRequests;
  }

  /** Nobody took the `connect` webhook. Unless the business knows of the call, to send another would be in vain. */
  markConnectGivenUp(): void {
    this.#isReachable = this.isKnownToBusiness;
    this.#connectSent.resolve();
    this.#connectSettled.resolve();
    if (!this.#isReachable) this.end("simulator");
  }

  /** Notes how a request about this call was answered. */
  markRequest(answered: Omit<GraphRequestRecord, "atMs">): void {
    const request = this.#record.markRequest(answered);
    try {
      this.#options.call.onGraphRequest?.(request);
    } catch (error) {
      // The listener is the user's; the business shall get its answer all the same.
      this.#logFault("onGraphRequest failed", error);
    }
  }

  /** Carries out what the business asks for. Returns why not, null when it was done. */
  handle(request: CallRequest): GraphFailure | null {
    const answerSdp = "answerSdp" in request ? request.answerSdp : null;
    const refusal = refuseAction(this.#state, request.action, answerSdp);
    if (refusal !== null) return invalidParameter(refusal);
    switch (request.action) {
      case "pre_accept":
      case "accept":
        return this.#takeAnswer(request);
      case "reject":
        this.end("rejected");
        return null;
      case "terminate":
        this.end("business");
        return null;
    }
  }

  /** Ends the call; without effect when it is over. */
  end(endedBy: PhoneCallEndedBy): void {
    if (this.#state.phase === "ended") return;
    const outcome = toOutcome(endedBy, this.#state.phase === "accepted");
    this.#state = { phase: "ended" };
    this.#record.mark("ended");
    this.#timers.clear();
    this.#accepted.resolve(false);
    void this.#finish(outcome);
  }

  #takeAnswer(request: AnswerRequest): GraphFailure | null {
    if (this.#state.phase === "ringing") {
      const verdict = checkAnswer(request.answerSdp, this.#options.offerSdp);
      if (!verdict.ok) return invalidParameter(verdict.details);
      this.media.applyAnswer(verdict.answer);
      this.#answerSdp = request.answerSdp;
    }
    if (request.action === "accept") this.#accept(request);
    else this.#preAccept(request.answerSdp);
    return null;
  }

  #preAccept(answerSdp: string): void {
    this.#record.mark("preAccept");
    this.#state = { phase: "pre-accepted", answerSdp };
  }

  #accept({ answerSdp, callbackData }: AnswerRequest): void {
    this.#record.mark("accept");
    this.#callbackData = callbackData;
    this.#state = { phase: "accepted", answerSdp };
    this.#timers.clear();
    this.media.markAccepted();
    this.#startScript();
    this.#watchMedia();
    this.#accepted.resolve(true);
  }

  #startScript(): void {
    const { call } = this.#options;
    this.#timers.after(call.hangUpAfterMs, () => this.end("caller"));
    this.#timers.after(call.goSilentAfterMs, () => this.goSilent());
    for (const entry of call.digits ?? []) {
      this.#timers.after(entry.afterMs, () => this.#pressDigits(entry));
    }
  }

  #pressDigits({ digits, toneMs, gapMs }: ScriptedDigits): void {
    const timing = {
      ...(toneMs === undefined ? {} : { toneMs }),
      ...(gapMs === undefined ? {} : { gapMs }),
    };
    this.#digitsOut = this.#digitsOut
      .then(async () => void (await this.sendDigits(digits, timing)))
      .catch((error: unknown) => this.#logFault("digits were not sent", error));
  }

  #watchMedia(): void {
    const { clock, timers: limits } = this.#options.settings;
    watchMedia({
      media: this.media,
      clock,
      limits,
      timers: this.#timers,
      isOver: () => this.#state.phase === "ended",
      onFirstRtp: () => this.#record.mark("firstRtp"),
      onSilence: (kind) => this.end(kind),
    });
  }

  /** Closes the media, tells the business, and hands out the report, whatever fails on the way. */
  async #finish(outcome: CallOutcome): Promise<void> {
    const { media } = this;
    const mediaReport = media.report();
    await media.close().catch((error: unknown) => this.#logFault("media was not closed", error));
    await this.#deliverEnd(outcome);
    this.#terminateSettled.resolve();
    await this.#connectSettled.promise;
    if (this.#isReachable && this.#webhooks.connectAgainAfterTerminate === true) {
      await this.#options.deliver(this.connectWebhook(), 0);
    }
    this.#ended.resolve(this.#record.toReport(this.callId, outcome, media, mediaReport));
  }

  async #deliverEnd(outcome: CallOutcome): Promise<void> {
    // Without a wish for disorder, terminate leaves after connect; it does not wait for connect's answer.
    if (this.#webhooks.terminateBeforeConnect !== true) await this.#connectSent.promise;
    // A simulator that closes has no time to wait for an answer.
    if (!this.#isReachable || outcome.endedBy === "simulator") return;
    const { status, errorCode } = outcome;
    const end = {
      ...this.#record.wallTimes(),
      status,
      errorCode,
      durationSeconds: this.#record.durationSeconds,
      callbackData: this.#callbackData,
    };
    const webhook = terminateWebhook(this.#options.identity, end, this.#webhooks.statusNoise ?? false);
    await this.#options.deliver(webhook, this.#webhooks.duplicate ?? 0);
  }

  #requireActive(operation: string, what: string): void {
    const { callId, phase } = this;
    if (phase === "active") return;
    throw new RingbackError("CALL_WRONG_PHASE", `${what} an active call, this one is ${phase}`, {
      details: { callId, phase, operation },
    });
  }

  #logFault(message: string, error: unknown): void {
    const reason = error instanceof Error ? error.name : "unknown";
    this.#options.settings.logger.warn({ callId: this.callId, reason }, message);
  }
}
