import { byteAt } from "../bytes.ts";

/** RFC 5246 §7.2, RFC 5246 §7.4.1.4, by their names there. Those that we send or look at. */
export const AlertDescription = {
  closeNotify: 0,
  unexpectedMessage: 10,
  handshakeFailure: 40,
  badCertificate: 42,
  unsupportedCertificate: 43,
  illegalParameter: 47,
  decryptError: 51,
  protocolVersion: 70,
  noRenegotiation: 100,
  unsupportedExtension: 110,
} as const;

export type AlertDescription = (typeof AlertDescription)[keyof typeof AlertDescription];

export const AlertLevel = { warning: 1, fatal: 2 } as const;

export type AlertLevel = (typeof AlertLevel)[keyof typeof AlertLevel];

export interface Alert {
  readonly isFatal: boolean;
  readonly description: number;
}

export function encodeAlert(level: AlertLevel, description: AlertDescription): Uint8Array {
  return Uint8Array.of(level, description);
}

export function parseAlert(payload: Uint8Array): Alert | null {
  const level = byteAt(payload, 0);
  if (payload.length !== 2 || (level !== AlertLevel.warning && level !== AlertLevel.fatal)) return null;
  return { isFatal: level === AlertLevel.fatal, description: byteAt(payload, 1) };
}
