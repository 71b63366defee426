import type { AddressClass } from "../core/net/address-class.ts";
import type { TargetFault, UrlFault } from "../core/net/judge-target.ts";
import { type ErrorDetails, RingbackError } from "../errors.ts";

type RefusedReason = ErrorDetails["REQUEST_REFUSED"]["reason"];
type FailedReason = ErrorDetails["REQUEST_FAILED"]["reason"];

const URL_PROBLEMS: Readonly<Record<UrlFault, string>> = {
  malformed: "it must be an absolute URL of at most 8192 characters",
  scheme: "only https URLs, and http where requests.allowHttp is set, are requested",
  "plain-http": "it must be https; requests.allowHttp (REQUESTS_ALLOW_HTTP) lets plain http pass",
  credentials: "it must not carry a user or a password",
  port: "port 0 is none",
};

const ADDRESS_CLASSES: Readonly<Record<Exclude<AddressClass, "public">, string>> = {
  unspecified: "the unspecified address",
  loopback: "this machine's loopback",
  private: "a private network",
  "link-local": "the local link, where clouds keep their metadata",
  shared: "a provider's shared network",
  "cloud-internal": "a cloud's inside",
  multicast: "a multicast group",
  broadcast: "everybody on the network",
  documentation: "nobody: it is kept for documentation",
  benchmarking: "a network for benchmarks",
  transition: "IPv4 by way of a tunnel",
  reserved: "a reserved range",
};

const ALLOW = "requests.allowedHosts (REQUESTS_ALLOW)";

/** A URL that is not requested, whoever it leads to. Its text may hold secrets, and is not told. */
export function urlRefused(fault: UrlFault): RingbackError<"REQUEST_REFUSED"> {
  return refused(fault === "malformed" ? "url" : fault, `The URL is refused: ${URL_PROBLEMS[fault]}.`);
}

export function downgradeRefused(url: URL): RingbackError<"REQUEST_REFUSED"> {
  return refused("plain-http", `${url.origin} redirects from https to http, which is never followed.`);
}

/** @param address The one that is to blame; null when the name alone is. */
export function targetRefused(
  url: URL,
  fault: TargetFault,
  address: string | null,
): RingbackError<"REQUEST_REFUSED"> {
  const host = url.host;
  switch (fault.kind) {
    case "local-name":
      return refused(
        "address",
        `${host} is refused: it is this machine. List it in ${ALLOW} to let it pass.`,
      );
    case "not-listed":
      return refused(
        "not-listed",
        `${host} is refused: it is not in ${ALLOW}, and requests.onlyAllowedHosts is set.`,
      );
    case "unreadable":
      return refused("address", `${host} is refused: it was resolved to what is no IP address.`);
    case "address": {
      const place = ADDRESS_CLASSES[fault.addressClass];
      const leads = address === null ? "" : `its address ${address} leads to ${place}`;
      return refused("address", `${host} is refused: ${leads}. List it in ${ALLOW} to let it pass.`);
    }
  }
}

export function requestFailed(
  reason: FailedReason,
  message: string,
  extra: { readonly status?: number; readonly cause?: unknown } = {},
): RingbackError<"REQUEST_FAILED"> {
  const { status = null, cause } = extra;
  const isTransient = reason === "network" || reason === "timeout";
  return new RingbackError("REQUEST_FAILED", message, {
    details: { reason, status },
    retryable: isTransient || status === 429 || (status !== null && status >= 500),
    cause,
  });
}

function refused(reason: RefusedReason, message: string): RingbackError<"REQUEST_REFUSED"> {
  return new RingbackError("REQUEST_REFUSED", message, { details: { reason } });
}
