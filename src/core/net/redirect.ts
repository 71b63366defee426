/** One request of a chain. */
export interface RequestHop {
  readonly url: URL;
  readonly method: "GET" | "POST";
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
}

/** Where a redirect leads. The URL is still to be judged. */
export interface Redirect extends Omit<RequestHop, "url"> {
  /** Absolute. */
  readonly location: string;
}

/** Headers that tell nothing but what is wanted: another origin gets these alone, and no key, cookie or signature. */
const HARMLESS_HEADERS: ReadonlySet<string> = new Set([
  "accept",
  "accept-language",
  "content-type",
  "user-agent",
]);

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/**
 * What to request after a redirect, as browsers do it (WHATWG Fetch, "HTTP-redirect fetch"): a POST becomes a GET without its
 * body at 301, 302 and 303, and is repeated as it is at 307 and 308.
 *
 * @returns null when `location` is missing or no URL.
 */
export function followRedirect(hop: RequestHop, status: number, location: string | null): Redirect | null {
  if (location === null || !URL.canParse(location, hop.url.href)) return null;
  const target = new URL(location, hop.url);
  const isRepeated = status === 307 || status === 308;
  const isSameOrigin = target.origin === hop.url.origin;
  const kept = Object.entries(hop.headers).filter(([name]) => {
    return (isSameOrigin || HARMLESS_HEADERS.has(name)) && (isRepeated || name !== "content-type");
  });
  return {
    location: target.href,
    method: isRepeated ? hop.method : "GET",
    headers: Object.fromEntries(kept),
    body: isRepeated ? hop.body : null,
  };
}
