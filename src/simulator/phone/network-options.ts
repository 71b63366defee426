import { optionError } from "../simulator-error.ts";

/** What one direction of the network does to what passes it. Each datagram by itself; all default to 0: nothing. */
export interface NetworkDirection {
  /** 0–100. */
  readonly lossPercent?: number;
  /** Never more RTP packets than this are lost one after another. Default: no limit. */
  readonly maxLossInARow?: number;
  /** Datagrams that arrive twice, 0–100. Each copy has a jitter of its own. */
  readonly duplicatePercent?: number;
  /** Every datagram takes this long, 0–10 000 ms. */
  readonly delayMs?: number;
  /** On top comes a time between 0 and this, evenly spread, 0–10 000 ms: from 20 ms on, packets overtake each other. */
  readonly jitterMs?: number;
  /** Datagrams that are held back for `reorderMs` more, 0–100. */
  readonly reorderPercent?: number;
  /** 0–10 000 ms. Default 50. */
  readonly reorderMs?: number;
}

/**
 * The network between the phone and the business. It passes the connectivity checks and DTLS unharmed, so that calls come up
 * at once; from the end of the handshake on, its directions hold for RTP, RTCP and checks.
 */
export interface PhoneNetwork {
  /** The nth RTP packet of a direction has the same fate whenever the seed is the same. A whole number; default 1. */
  readonly seed?: number;
  readonly toBusiness?: NetworkDirection;
  readonly toPhone?: NetworkDirection;
}

/** What a direction did, in datagrams. */
export interface NetworkCounts {
  readonly passed: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Held back by `reorderPercent`. */
  readonly heldBack: number;
  /** Dropped because 4096 were on their way. */
  readonly overflowed: number;
}

export type NetworkReport = Readonly<Record<"toBusiness" | "toPhone", NetworkCounts>>;

/** @internal */
export type DirectionSettings = Required<NetworkDirection>;

/** @internal */
export interface NetworkSettings {
  readonly seed: number;
  readonly toBusiness: DirectionSettings;
  readonly toPhone: DirectionSettings;
}

const MAX_DELAY_MS = 10_000;

/**
 * @internal
 * @throws {RingbackError} `OPTION_INVALID`.
 */
export function toNetworkSettings({ seed = 1, toBusiness, toPhone }: PhoneNetwork): NetworkSettings {
  if (!Number.isSafeInteger(seed)) {
    throw optionError("network.seed", `network.seed must be a whole number, got ${seed}`);
  }
  return {
    seed,
    toBusiness: toDirectionSettings(toBusiness ?? {}, "network.toBusiness"),
    toPhone: toDirectionSettings(toPhone ?? {}, "network.toPhone"),
  };
}

function toDirectionSettings(direction: NetworkDirection, option: string): DirectionSettings {
  const settings = {
    lossPercent: direction.lossPercent ?? 0,
    maxLossInARow: direction.maxLossInARow ?? Number.POSITIVE_INFINITY,
    duplicatePercent: direction.duplicatePercent ?? 0,
    delayMs: direction.delayMs ?? 0,
    jitterMs: direction.jitterMs ?? 0,
    reorderPercent: direction.reorderPercent ?? 0,
    reorderMs: direction.reorderMs ?? 50,
  };
  for (const name of ["lossPercent", "duplicatePercent", "reorderPercent"] as const) {
    requireRange(`${option}.${name}`, settings[name], 0, 100);
  }
  for (const name of ["delayMs", "jitterMs", "reorderMs"] as const) {
    requireRange(`${option}.${name}`, settings[name], 0, MAX_DELAY_MS);
  }
  requireRange(`${option}.maxLossInARow`, settings.maxLossInARow, 0, Number.POSITIVE_INFINITY);
  return settings;
}

function requireRange(option: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  const range = most === Number.POSITIVE_INFINITY ? `${least} or more` : `${least}–${most}`;
  throw optionError(option, `${option} must be ${range}, got ${value}`);
}
