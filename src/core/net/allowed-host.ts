import { ipVersion } from "../sdp/ip-version.ts";
import { addressBytes, type IpPrefix, isInPrefix, parseIpPrefix } from "./ip-prefix.ts";

/** Where requests may go though the address is not public: one entry of a list. */
export interface AllowedHost {
  /** In lower case; with a leading dot it stands for every name below it. Null for an entry of addresses. */
  readonly name: string | null;
  /** Null for an entry of a name. */
  readonly prefix: IpPrefix | null;
  /** Null: any. */
  readonly port: number | null;
}

/** Where one request would go to. */
export interface Target {
  /** The host of the URL as `hostOf` gives it: a name, or an address. */
  readonly host: string;
  readonly port: number;
  /** One of those that the host stands for. */
  readonly address: string;
}

/**
 * Reads `ivr.example.com`, `ivr.example.com:8443`, `*.example.com`, `10.0.0.5`, `10.0.0.5:8080`, `10.0.0.0/8`, `[fd00::5]:8080`
 * or `fd00::/8`. Null for anything else.
 */
export function parseAllowedHost(text: string): AllowedHost | null {
  const prefix = parseIpPrefix(text);
  if (prefix !== null) return { name: null, prefix, port: null };
  const [, wildcard, host = "", port] =
    /^(\*\.)?(\[[^\]]*\]|[^:/?#@\s*\\]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const portNumber = port === undefined ? null : Number(port);
  if (portNumber !== null && (portNumber === 0 || portNumber > 65_535)) return null;
  // As URLs are read: a name in any spelling becomes the one that requests have.
  if (host === "" || !URL.canParse(`http://${host}`)) return null;
  const name = hostOf(new URL(`http://${host}`));
  const address = parseIpPrefix(name);
  if (address !== null)
    return wildcard === undefined ? { name: null, prefix: address, port: portNumber } : null;
  return { name: wildcard === undefined ? name : `.${name}`, prefix: null, port: portNumber };
}

/** The host of a URL as it is compared: a literal without brackets, a name without the dot of the root. */
export function hostOf(url: URL): string {
  const { hostname } = url;
  if (hostname.startsWith("[")) return hostname.slice(1, -1);
  return ipVersion(hostname) === null ? hostname.replace(/\.+$/, "") : hostname;
}

export function isAllowedHost(allowed: readonly AllowedHost[], target: Target): boolean {
  const bytes = addressBytes(target.address);
  return allowed.some(({ name, prefix, port }) => {
    if (port !== null && port !== target.port) return false;
    if (prefix !== null) return bytes !== null && isInPrefix(bytes, prefix);
    return name !== null && isNamed(target.host, name);
  });
}

/** True when an entry names the host itself, whatever its addresses are. */
export function isAllowedName(allowed: readonly AllowedHost[], host: string, port: number): boolean {
  return allowed.some((entry) => {
    return entry.name !== null && (entry.port ?? port) === port && isNamed(host, entry.name);
  });
}

function isNamed(host: string, name: string): boolean {
  return name.startsWith(".") ? host.endsWith(name) : host === name;
}
