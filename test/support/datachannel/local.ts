import type { DtlsSetup, IceCandidate } from "../../../src/core/sdp/model.ts";

/** Our side's parameters as libdatachannel's answer states them. */
export interface DatachannelLocal {
  readonly iceUfrag: string;
  readonly icePwd: string;
  readonly sha256Fingerprint: string;
  readonly setup: DtlsSetup;
  readonly candidates: readonly IceCandidate[];
}

const CANDIDATE = /^a=candidate:(\S+) (\d+) (\S+) (\d+) (\S+) (\d+) typ (host|srflx|prflx|relay)\b/i;

/** Reads an answer that libdatachannel wrote; null when something is missing, which would be a fault of ours. */
export function readLocalAnswer(sdp: string): DatachannelLocal | null {
  const lines = sdp.split(/\r?\n/);
  const value = (name: string): string | null => {
    const prefix = `a=${name}:`;
    return lines.find((line) => line.startsWith(prefix))?.slice(prefix.length) ?? null;
  };
  const iceUfrag = value("ice-ufrag");
  const icePwd = value("ice-pwd");
  const fingerprint = /^sha-256 (.+)$/i.exec(value("fingerprint") ?? "")?.[1];
  const setup = value("setup");
  if (iceUfrag === null || icePwd === null || fingerprint === undefined) return null;
  if (setup !== "active" && setup !== "passive") return null;
  const candidates = lines.map(readCandidate).filter((candidate) => candidate !== null);
  return { iceUfrag, icePwd, sha256Fingerprint: fingerprint.toUpperCase(), setup, candidates };
}

/**
 * Puts `address` in the place of our own ones of its family, as a router with 1:1 NAT does to our packets.
 * Candidates that differ in nothing else then become one.
 */
export function withPublicAddress(candidates: readonly IceCandidate[], address: string): IceCandidate[] {
  const isSixth = address.includes(":");
  const seenPorts = new Set<number>();
  const replaced: IceCandidate[] = [];
  for (const candidate of candidates) {
    if (candidate.address.includes(":") !== isSixth) {
      replaced.push(candidate);
    } else if (!seenPorts.has(candidate.port)) {
      seenPorts.add(candidate.port);
      replaced.push({ ...candidate, address });
    }
  }
  return replaced;
}

/** RFC 8839 §5.1, as `addRemoteCandidate` takes it. */
export function toCandidateLine(candidate: IceCandidate): string {
  const { foundation, componentId, priority, address, port, type } = candidate;
  return `a=candidate:${foundation} ${componentId} UDP ${priority} ${address} ${port} typ ${type}`;
}

function readCandidate(line: string): IceCandidate | null {
  const match = CANDIDATE.exec(line);
  if (match === null) return null;
  const [, foundation = "", componentId, transport = "", priority, address = "", port, type = ""] = match;
  if (transport.toLowerCase() !== "udp") return null;
  return {
    foundation,
    componentId: Number(componentId),
    transport: "udp",
    priority: Number(priority),
    address,
    port: Number(port),
    type: toCandidateType(type),
  };
}

function toCandidateType(text: string): IceCandidate["type"] {
  switch (text.toLowerCase()) {
    case "srflx":
      return "srflx";
    case "prflx":
      return "prflx";
    case "relay":
      return "relay";
    default:
      return "host";
  }
}
