import { createHash } from "node:crypto";
import type { Random } from "../platform/random.ts";
import { DEFAULT_CALLER, type PhoneCallOptions } from "./phone-call-options.ts";
import type { SimulatedNumber } from "./simulator-options.ts";

/** Who calls whom, as the webhooks of one call tell it. */
export interface CallIdentity {
  readonly callId: string;
  readonly number: SimulatedNumber;
  /** Null: the caller hides it. */
  readonly from: string | null;
  /** Business-scoped user id. */
  readonly userId: string;
  readonly name: string;
  /** A caller who hides the number has a username. */
  readonly username: string | null;
  readonly deeplinkPayload: string | null;
  readonly ctaPayload: string | null;
}

export function createCallIdentity(
  options: PhoneCallOptions,
  number: SimulatedNumber,
  random: Random,
): CallIdentity {
  const from = options.from ?? DEFAULT_CALLER.from;
  const isHidden = options.hideNumber ?? false;
  return {
    callId: createCallId(from, random),
    number,
    from: isHidden ? null : from,
    userId: toUserId(from, number),
    name: options.name ?? DEFAULT_CALLER.name,
    username: isHidden ? "@zoe.mueller" : null,
    deeplinkPayload: options.deeplinkPayload ?? null,
    ctaPayload: options.ctaPayload ?? null,
  };
}

/** `wacid.` and base64 around the number and 32 hex digits: the form of real ids, which are to be taken as opaque. */
function createCallId(from: string, random: Random): string {
  const unique = Buffer.from(random(16)).toString("hex").toUpperCase();
  const body = Buffer.concat([
    Buffer.from([0x1c, 0x18, from.length]),
    Buffer.from(from, "latin1"),
    Buffer.from([0x15, 0x02, 0x00, 0x12, 0x18, 0x20]),
    Buffer.from(unique, "latin1"),
    Buffer.from([0x00]),
  ]);
  return `wacid.${body.toString("base64")}`;
}

/** The same user has the same id toward one business, and another one toward another. */
function toUserId(from: string, number: SimulatedNumber): string {
  const digest = createHash("sha256").update(`${number.id}:${from}`).digest();
  return `US.${digest.readBigUInt64BE(0)}`;
}
