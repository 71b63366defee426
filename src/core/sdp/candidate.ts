import { ipVersion } from "./ip-version.ts";
import type { IceCandidate } from "./model.ts";

const types: readonly string[] = ["host", "srflx", "prflx", "relay"] satisfies IceCandidate["type"][];

/**
 * Reads the value of an `a=candidate` line (RFC 8839 §5.1). Null when it is malformed or its address is no IP
 * literal: names would need a look-up, and WhatsApp sends none. Extensions after the type are ignored.
 */
export function parseCandidate(value: string): IceCandidate | null {
  const [foundation = "", component, transportText = "", priority, address = "", port, typ, type = ""] = value
    .split(" ")
    .filter((field) => field !== "");
  const transport = transportText.toLowerCase();
  const candidate = {
    foundation,
    componentId: toInteger(component, 1, 256),
    priority: toInteger(priority, 0, 0xffffffff),
    address,
    port: toInteger(port, 0, 65_535),
  };
  if (!(candidate.componentId >= 1 && candidate.priority >= 0 && candidate.port >= 0)) return null;
  if (typ !== "typ" || !isType(type) || (transport !== "udp" && transport !== "tcp")) return null;
  if (foundation.length > 64 || ipVersion(address) === null) return null;
  return { ...candidate, transport, type };
}

function isType(text: string): text is IceCandidate["type"] {
  return types.includes(text);
}

function toInteger(text: string | undefined, least: number, most: number): number {
  const number = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return number >= least && number <= most ? number : Number.NaN;
}

/** Writes the value of an `a=candidate` line. */
export function serializeCandidate(candidate: IceCandidate): string {
  const { foundation, componentId, transport, priority, address, port, type } = candidate;
  const base = `${foundation} ${componentId} ${transport} ${priority} ${address} ${port} typ ${type}`;
  if (type === "host") return base;
  // RFC 8839 §5.1: the related address is mandatory here, and this form withholds it.
  return `${base} raddr ${ipVersion(address) === 6 ? "::" : "0.0.0.0"} rport 9`;
}
