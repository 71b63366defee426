import { ipVersion } from "../core/sdp/ip-version.ts";
import type { DtlsCertificate } from "../core/transport/dtls/dtls-certificate.ts";
import { RingbackError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Clock } from "../platform/clock.ts";
import type { Random } from "../platform/random.ts";
import type { Timers } from "../platform/timers.ts";
import type { PortRange } from "./transport-binding.ts";

export interface TransportEngineOptions {
  /** IP address of the interface to use. Default: all of them, IPv4 and, where the machine has it, IPv6. */
  readonly bindAddress?: string;
  /** The UDP port of all calls. Default 0: any free one. */
  readonly port?: number;
  /**
   * UDP ports for calls whose peer has the same address and port as another call's peer, both ends included.
   * Default: any free ones.
   */
  readonly extraPorts?: PortRange;
  /** The address that a 1:1 NAT shows for ours, put into the SDP. WhatsApp does not need it; a strict firewall may. */
  readonly publicAddress?: string;
  /** Default: the engine makes its own, and a new one every day. */
  readonly certificate?: DtlsCertificate;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

/** @throws {RingbackError} `OPTION_INVALID`. */
export function checkTransportOptions(options: TransportEngineOptions): void {
  const { bindAddress, publicAddress, port, extraPorts } = options;
  if (bindAddress !== undefined) requireAddress("bindAddress", bindAddress);
  if (publicAddress !== undefined) requireAddress("publicAddress", publicAddress);
  if (port !== undefined && port !== 0 && !isPort(port)) {
    throw invalid("port", `port must be a UDP port of 1-65535, or 0 for any free one, got ${port}.`);
  }
  if (extraPorts === undefined) return;
  const { begin, end } = extraPorts;
  if (isPort(begin) && isPort(end) && begin <= end) return;
  throw invalid(
    "extraPorts",
    `extraPorts must be two ports of 1-65535 in rising order, got ${begin}-${end}.`,
  );
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function requireAddress(option: string, address: string): void {
  if (ipVersion(address) !== null) return;
  throw invalid(option, `${option} must be an IP address, got "${address}".`);
}

function invalid(option: string, message: string): RingbackError<"OPTION_INVALID"> {
  return new RingbackError("OPTION_INVALID", message, { details: { option } });
}
