import { readRequestUrl } from "../../../core/net/judge-target.ts";
import { isRingbackError } from "../../../errors.ts";
import { judgedAddresses } from "../../../platform/outgoing-judge.ts";
import type { RequestPolicy } from "../../../platform/outgoing-request.ts";
import { urlRefused } from "../../../platform/outgoing-request-error.ts";
import { ApiProblem } from "../problems.ts";

/** For a name to be resolved, in ms. */
const RESOLVE_MS = 5_000;

/**
 * Judges where an endpoint is to be, as the guard of requests will do it again before each delivery.
 *
 * @returns The URL as it is kept: without a fragment.
 * @throws {ApiProblem} `url_refused`, with the reason.
 */
export async function judgeEndpoint(
  text: string,
  policy: RequestPolicy,
  signal: AbortSignal,
): Promise<string> {
  const url = readRequestUrl(text, policy);
  if (typeof url === "string") throw refused(urlRefused(url).message);
  url.hash = "";
  try {
    await judgedAddresses(url, {
      policy,
      signal: AbortSignal.any([signal, AbortSignal.timeout(RESOLVE_MS)]),
    });
  } catch (error) {
    if (isRingbackError(error, "REQUEST_REFUSED")) throw refused(error.message);
    throw refused(`${url.host} has no address that can be found. Check the name.`);
  }
  return url.href;
}

function refused(detail: string): ApiProblem {
  return new ApiProblem("url_refused", detail, { errors: [{ path: "body.url", message: detail }] });
}
