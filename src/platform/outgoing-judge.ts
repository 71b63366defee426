import { hostOf } from "../core/net/allowed-host.ts";
import { addressBytes } from "../core/net/ip-prefix.ts";
import { judgeAddress, judgeName, portOf } from "../core/net/judge-target.ts";
import { requestFailed, targetRefused } from "./outgoing-request-error.ts";
import type { RequestPolicy } from "./outgoing-request-policy.ts";
import { untilAborted } from "./until-aborted.ts";

/** Addresses that are connected to; names with more are rare, and all of them are judged. */
const MAX_ADDRESSES = 8;

/** All addresses of a URL's host when every one of them may be requested: a mixed answer is an attack, or a mistake. */
export async function judgedAddresses(
  url: URL,
  { policy, signal }: { readonly policy: RequestPolicy; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const host = hostOf(url);
  const port = portOf(url);
  const nameFault = judgeName(host, port, policy);
  if (nameFault !== null) throw targetRefused(url, nameFault, null);
  const isLiteral = addressBytes(host) !== null;
  const addresses = isLiteral ? [host] : await untilAborted(policy.resolve(host), signal);
  if (addresses.length === 0) throw requestFailed("network", `${url.host} has no address.`);
  for (const address of addresses) {
    const fault = judgeAddress({ host, port, address }, policy);
    if (fault !== null) throw targetRefused(url, fault, address);
  }
  return addresses.slice(0, MAX_ADDRESSES);
}
