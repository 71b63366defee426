import { type Logger, silentLogger } from "../logger.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { createPhoneMedia } from "./phone/create-phone-media.ts";
import type { PhoneMedia, PhoneMediaOptions } from "./phone/phone-media.ts";
import { requireDelayMs } from "./require-delay.ts";
import { optionError } from "./simulator-error.ts";

/** @internal */
export type PhoneMediaFactory = (
  options: PhoneMediaOptions & { readonly clock: Clock },
) => Promise<PhoneMedia>;

/** A business number that the simulated WhatsApp knows. */
export interface SimulatedNumber {
  /** The phone number id in Graph API paths. */
  readonly id: string;
  /** Digits without `+`. */
  readonly displayPhoneNumber: string;
}

/** How webhooks are delivered. */
export interface WebhookOptions {
  /** Time allowed for an answer, in ms. Default 20 000 (Meta Calling API, "FAQ", read 2026-11-22). */
  readonly timeoutMs?: number;
  /**
   * Waits before the second, third, … attempt, in ms; after the last one the webhook is given up. Meta promises
   * no schedule for calls. Default 1 000, 2 000, 4 000, 8 000; at most 20 entries.
   */
  readonly retryDelaysMs?: readonly number[];
}

/** WhatsApp's timers. Tests shorten them. */
export interface TimerOptions {
  /** An accepted call without business media ends after this time, in ms. Default 20 000. */
  readonly firstMediaTimeoutMs?: number;
  /** A call whose business media stops ends after this time, in ms. Default 30 000. */
  readonly mediaGapTimeoutMs?: number;
  /** A call that nobody accepts ends after this time, in ms. Default 45 000: Meta says "30 to 60 s". */
  readonly answerWindowMs?: number;
}

export interface SimulatorOptions {
  /** Where webhooks go, such as `http://127.0.0.1:3000/webhook`. May be set later. */
  readonly webhookUrl?: string;
  /** Key of `X-Hub-Signature-256`. Default `simulator-app-secret`. */
  readonly appSecret?: string;
  /** Sent by `verifyWebhook` as `hub.verify_token`. Default `simulator-verify-token`. */
  readonly verifyToken?: string;
  /** Bearer token that the Graph API asks for. Default `simulator-token`. */
  readonly token?: string;
  /** Default: one number, id `100000000000001`, display number `15550009999`. */
  readonly phoneNumbers?: readonly SimulatedNumber[];
  /** Address of the Graph API. Default 127.0.0.1. */
  readonly host?: string;
  /** Port of the Graph API. Default 0: any free one, see `graphUrl`. */
  readonly port?: number;
  readonly webhook?: WebhookOptions;
  readonly timers?: TimerOptions;
  readonly logger?: Logger;
  /** Read for every time in reports and webhooks; timers run in real time. */
  readonly clock?: Clock;
  /** @internal Replaces the phone's media in tests of the signalling. */
  readonly phoneMediaFactory?: PhoneMediaFactory;
}

/** @internal Options with every default filled in. */
export interface SimulatorSettings {
  readonly appSecret: string;
  readonly verifyToken: string;
  readonly token: string;
  readonly phoneNumbers: readonly SimulatedNumber[];
  readonly host: string;
  readonly port: number;
  readonly webhook: Required<WebhookOptions>;
  readonly timers: Required<TimerOptions>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly phoneMediaFactory: PhoneMediaFactory;
}

const DEFAULT_NUMBER: SimulatedNumber = { id: "100000000000001", displayPhoneNumber: "15550009999" };
const MAX_RETRIES = 20;

/**
 * @internal
 * @throws {RingbackError} `OPTION_INVALID`.
 */
export function toSettings(options: SimulatorOptions): SimulatorSettings {
  return {
    appSecret: options.appSecret ?? "simulator-app-secret",
    verifyToken: options.verifyToken ?? "simulator-verify-token",
    token: options.token ?? "simulator-token",
    phoneNumbers: toPhoneNumbers(options.phoneNumbers),
    host: options.host ?? "127.0.0.1",
    port: options.port ?? 0,
    webhook: toWebhookSettings(options.webhook ?? {}),
    timers: toTimerSettings(options.timers ?? {}),
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
    phoneMediaFactory: options.phoneMediaFactory ?? createPhoneMedia,
  };
}

function toPhoneNumbers(numbers: readonly SimulatedNumber[] = [DEFAULT_NUMBER]): readonly SimulatedNumber[] {
  if (numbers.length === 0) throw optionError("phoneNumbers", "phoneNumbers must name at least one number");
  for (const number of numbers) {
    if (!/^\d{1,20}$/.test(number.id)) {
      throw optionError("phoneNumbers", "phoneNumbers[].id must be 1 to 20 digits");
    }
    if (!/^\d{3,15}$/.test(number.displayPhoneNumber)) {
      throw optionError("phoneNumbers", "phoneNumbers[].displayPhoneNumber must be 3 to 15 digits without +");
    }
  }
  return numbers;
}

function toWebhookSettings(options: WebhookOptions): Required<WebhookOptions> {
  const retryDelaysMs = options.retryDelaysMs ?? [1_000, 2_000, 4_000, 8_000];
  if (retryDelaysMs.length > MAX_RETRIES) {
    throw optionError(
      "webhook.retryDelaysMs",
      `webhook.retryDelaysMs may have ${MAX_RETRIES} entries at most`,
    );
  }
  for (const delayMs of retryDelaysMs) requireDelayMs("webhook.retryDelaysMs", delayMs);
  return { timeoutMs: requireDelayMs("webhook.timeoutMs", options.timeoutMs ?? 20_000), retryDelaysMs };
}

function toTimerSettings(options: TimerOptions): Required<TimerOptions> {
  const { firstMediaTimeoutMs = 20_000, mediaGapTimeoutMs = 30_000, answerWindowMs = 45_000 } = options;
  return {
    firstMediaTimeoutMs: requireDelayMs("timers.firstMediaTimeoutMs", firstMediaTimeoutMs),
    mediaGapTimeoutMs: requireDelayMs("timers.mediaGapTimeoutMs", mediaGapTimeoutMs),
    answerWindowMs: requireDelayMs("timers.answerWindowMs", answerWindowMs),
  };
}
