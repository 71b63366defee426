import { type AddressClass, classifyAddress } from "./address-class.ts";
import { type AllowedHost, hostOf, isAllowedHost, isAllowedName, type Target } from "./allowed-host.ts";

/** What may be requested. */
export interface TargetRules {
  readonly allowHttp: boolean;
  readonly allowedHosts: readonly AllowedHost[];
  /** True: nothing but `allowedHosts`. */
  readonly onlyAllowedHosts: boolean;
}

/** Why a text is no URL that is requested. */
export type UrlFault = "malformed" | "scheme" | "plain-http" | "credentials" | "port";

/** Why nothing is sent to where a URL leads. */
export type TargetFault =
  | { readonly kind: "local-name" | "not-listed" | "unreadable" }
  | { readonly kind: "address"; readonly addressClass: Exclude<AddressClass, "public"> };

/** Longest URL. What carries more belongs into a body. */
const MAX_URL_CHARACTERS = 8_192;

/** Reads a URL that a stranger may have named. */
export function readRequestUrl(text: string, rules: TargetRules): URL | UrlFault {
  if (text.length > MAX_URL_CHARACTERS || !URL.canParse(text)) return "malformed";
  const url = new URL(text);
  // The dot of the root would hide a name from the lists, and from the certificate that is to have it.
  if (url.hostname.endsWith(".")) url.hostname = url.hostname.replace(/\.+$/, "");
  if (url.protocol !== "https:" && url.protocol !== "http:") return "scheme";
  if (url.username !== "" || url.password !== "") return "credentials";
  if (url.port === "0") return "port";
  if (hostOf(url) === "" || url.hostname.endsWith(".")) return "malformed";
  if (url.protocol === "http:" && !rules.allowHttp) return "plain-http";
  return url;
}

export function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

/** Judges a name before it is resolved: RFC 6761 §6.3 keeps `localhost` and what is below it for this machine. */
export function judgeName(host: string, port: number, rules: TargetRules): TargetFault | null {
  const isLocal = host === "localhost" || host.endsWith(".localhost");
  return isLocal && !isAllowedName(rules.allowedHosts, host, port) ? { kind: "local-name" } : null;
}

/** Judges one address that a host stands for. */
export function judgeAddress(target: Target, rules: TargetRules): TargetFault | null {
  const addressClass = classifyAddress(target.address);
  if (addressClass === null) return { kind: "unreadable" };
  if (isAllowedHost(rules.allowedHosts, target)) return null;
  if (addressClass !== "public") return { kind: "address", addressClass };
  return rules.onlyAllowedHosts ? { kind: "not-listed" } : null;
}
