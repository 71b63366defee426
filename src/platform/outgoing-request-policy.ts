import { type AllowedHost, parseAllowedHost } from "../core/net/allowed-host.ts";
import type { TargetRules } from "../core/net/judge-target.ts";
import { RingbackError } from "../errors.ts";
import { type HostResolver, resolveHost } from "./host-resolver.ts";

/** What may be requested of whom, when somebody else names the URL (docs/outgoing-requests.md). */
export interface RequestOptions {
  /** Plain http too. Default false: https alone. */
  readonly allowHttp?: boolean;
  /**
   * Hosts that may be requested though their addresses are not public, at most 1 000: `ivr.example.com`, `*.example.com`,
   * `10.0.0.5`, `[fd00::5]`, each also with `:port`, and `10.0.0.0/8`. Default none.
   */
  readonly allowedHosts?: readonly string[];
  /** Nothing but `allowedHosts`. Default false. */
  readonly onlyAllowedHosts?: boolean;
  /** For the whole of a request, redirects and bodies included, in ms, 1–300 000. Default 10 000. */
  readonly timeoutMs?: number;
  /** Of an answer's body, 1 to 1 GiB. Default 16 MiB. */
  readonly maxBytes?: number;
  /** 0–20. Default 3. */
  readonly maxRedirects?: number;
  /** PEM of the authorities to trust instead of Node's; `NODE_EXTRA_CA_CERTS` adds to those. */
  readonly ca?: string;
  /** Default: the system's, as `getaddrinfo` has it. */
  readonly resolve?: HostResolver;
}

/** The options with their defaults, checked and parsed. */
export interface RequestPolicy extends TargetRules {
  readonly allowedHosts: readonly AllowedHost[];
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly maxRedirects: number;
  readonly ca: string | undefined;
  readonly resolve: HostResolver;
}

const MAX_ALLOWED_HOSTS = 1_000;
const MIB = 1024 * 1024;

/** @throws {RingbackError} `OPTION_INVALID`. */
export function createRequestPolicy(options: RequestOptions = {}): RequestPolicy {
  return {
    allowHttp: options.allowHttp ?? false,
    allowedHosts: readAllowedHosts(options.allowedHosts ?? []),
    onlyAllowedHosts: options.onlyAllowedHosts ?? false,
    timeoutMs: inRange("requests.timeoutMs", options.timeoutMs ?? 10_000, 1, 300_000),
    maxBytes: inRange("requests.maxBytes", options.maxBytes ?? 16 * MIB, 1, 1024 * MIB),
    maxRedirects: inRange("requests.maxRedirects", options.maxRedirects ?? 3, 0, 20),
    ca: options.ca,
    resolve: options.resolve ?? resolveHost,
  };
}

function readAllowedHosts(hosts: readonly string[]): readonly AllowedHost[] {
  const option = "requests.allowedHosts";
  if (hosts.length > MAX_ALLOWED_HOSTS) {
    throw optionError(option, `${option} may have ${MAX_ALLOWED_HOSTS} entries at most`);
  }
  return hosts.map((text) => {
    const host = parseAllowedHost(text);
    if (host !== null) return host;
    const forms =
      "a name, *.name, an IP address, each with or without :port, or addresses such as 10.0.0.0/8";
    throw optionError(option, `${option}: ${JSON.stringify(text)} is not ${forms}`);
  });
}

function inRange(option: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw optionError(option, `${option} must be a whole number from ${min} to ${max}, got ${value}`);
}

function optionError(option: string, message: string): RingbackError<"OPTION_INVALID"> {
  return new RingbackError("OPTION_INVALID", message, { details: { option } });
}
