import type { DtlsSetup } from "../core/sdp/model.ts";
import type { OfferForm } from "./offer.ts";
import { checkDigitTiming, type DigitTiming, parseDigits } from "./phone/digit-sender.ts";
import { type PhoneNetwork, toNetworkSettings } from "./phone/network-options.ts";
import type { PhoneVoice } from "./phone/phone-media.ts";
import { checkVoice } from "./phone/voice.ts";
import type { GraphRequestRecord } from "./phone-call.ts";
import { requireDelayMs } from "./require-delay.ts";
import { optionError } from "./simulator-error.ts";

/** Digits that the caller presses. */
export interface ScriptedDigits extends DigitTiming {
  /** Counted from the accept. */
  readonly afterMs: number;
  /** 0–9, `*`, `#`, A–D, at most 256; `w` waits 500 ms. */
  readonly digits: string;
}

/** What may go wrong with webhooks in real life. */
export interface CallWebhookOptions {
  /** Extra copies of each webhook, byte for byte. Default 0, at most 10. */
  readonly duplicate?: number;
  /** The phone rings this long, in ms, before its `connect` webhook is sent. Default 0. */
  readonly delayMs?: number;
  /** The caller gives up at once, and `terminate` overtakes `connect`. */
  readonly terminateBeforeConnect?: boolean;
  /** The `connect` webhook comes once more after `terminate`. */
  readonly connectAgainAfterTerminate?: boolean;
  /** Surrounds the call with unknown fields, an unknown event and a text message. */
  readonly statusNoise?: boolean;
}

/** What a caller does. All times are optional; without any the call lasts until the business ends it. */
export interface PhoneCallOptions {
  /** The business number to call. Default: the first one. */
  readonly phoneNumberId?: string;
  /** The caller's number, digits without `+`. Default `15550001111`. */
  readonly from?: string;
  /** The caller's profile name. The default has a letter outside ASCII, so that a re-serialised body fails. */
  readonly name?: string;
  /** The caller has a username and hides the number: webhooks carry the business-scoped user id alone. */
  readonly hideNumber?: boolean;
  /** Default silence. */
  readonly voice?: PhoneVoice;
  /** DTLS role in the offer. Default `actpass`, as WhatsApp offers. */
  readonly setup?: DtlsSetup;
  /** Default `current`. */
  readonly offerForm?: OfferForm;
  /** This text is sent in place of the offer. */
  readonly offerSdp?: string;
  /** The `connect` webhook's timestamp lies this far in the past, in ms. */
  readonly offerAgeMs?: number;
  readonly deeplinkPayload?: string;
  readonly ctaPayload?: string;
  readonly digits?: readonly ScriptedDigits[];
  /** The caller hangs up this long after the accept, in ms. */
  readonly hangUpAfterMs?: number;
  /** The caller gives up when nobody accepted within this time, in ms. */
  readonly giveUpAfterMs?: number;
  /** The caller's audio stops this long after the accept, in ms. */
  readonly goSilentAfterMs?: number;
  /** Longest audio kept for `heardPcm` and for `sentPcm` each, in ms. Default 120 000. */
  readonly keepAudioMs?: number;
  /** What the network does to media once DTLS is up. Default: nothing. */
  readonly network?: PhoneNetwork;
  readonly webhooks?: CallWebhookOptions;
  /** Called after each request of the business about this call, as it happens. */
  readonly onGraphRequest?: (request: GraphRequestRecord) => void;
}

export const DEFAULT_CALLER = { from: "15550001111", name: "Zoë Müller" } as const;

const MAX_DUPLICATES = 10;
const MAX_SCRIPTED_DIGITS = 1_000;

/** @throws {RingbackError} `OPTION_INVALID`. */
export function checkPhoneCallOptions(options: PhoneCallOptions): void {
  const { from = DEFAULT_CALLER.from, digits = [], webhooks = {} } = options;
  if (!/^\d{3,15}$/.test(from)) throw optionError("from", "from must be 3 to 15 digits without +");
  if (digits.length > MAX_SCRIPTED_DIGITS) {
    throw optionError("digits", `digits may have ${MAX_SCRIPTED_DIGITS} entries at most`);
  }
  for (const entry of digits) {
    requireDelayMs("digits[].afterMs", entry.afterMs);
    parseDigits(entry.digits);
    checkDigitTiming(entry);
  }
  if (options.voice !== undefined) checkVoice(options.voice);
  if (options.network !== undefined) toNetworkSettings(options.network);
  const copies = webhooks.duplicate ?? 0;
  if (!Number.isInteger(copies) || copies < 0 || copies > MAX_DUPLICATES) {
    throw optionError(
      "webhooks.duplicate",
      `webhooks.duplicate must be 0 to ${MAX_DUPLICATES}, got ${copies}`,
    );
  }
  requireDelayMs("webhooks.delayMs", webhooks.delayMs ?? 0);
  for (const name of ["offerAgeMs", "hangUpAfterMs", "giveUpAfterMs", "goSilentAfterMs"] as const) {
    requireDelayMs(name, options[name] ?? 0);
  }
}
