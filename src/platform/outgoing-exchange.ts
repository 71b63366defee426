import { Client, type Dispatcher } from "undici";
import { isRedirect, type RequestHop } from "../core/net/redirect.ts";
import { connectorFor } from "./outgoing-connector.ts";
import { requestFailed } from "./outgoing-request-error.ts";

export interface ExchangeOptions {
  /** The judged addresses of the hop's host, in the order to try them. Nothing else is connected to. */
  readonly addresses: readonly string[];
  readonly ca: string | undefined;
  readonly maxBytes: number;
  /** Content types that are taken, `audio/*` for all of a kind; empty: any. */
  readonly accept: readonly string[];
  readonly signal: AbortSignal;
}

export type ExchangeResult =
  | { readonly kind: "redirect"; readonly status: number; readonly location: string | null }
  | {
      readonly kind: "answer";
      readonly status: number;
      /** Lower case, without parameters. Null when there is none. */
      readonly contentType: string | null;
      readonly bytes: Uint8Array;
    };

/**
 * One request and its answer, over a connection of its own, which is closed afterwards.
 *
 * @throws {RingbackError} `REQUEST_FAILED` for an answer that is not taken.
 * @throws {Error} The connection's or undici's own for everything else, an abort included.
 */
export async function exchange(hop: RequestHop, options: ExchangeOptions): Promise<ExchangeResult> {
  const client = new Client(hop.url.origin, {
    connect: connectorFor(options),
    // The signal bounds the whole of it.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    const response = await client.request({
      path: hop.url.pathname + hop.url.search,
      method: hop.method,
      // A small compressed body may become any size.
      headers: { ...hop.headers, "accept-encoding": "identity" },
      body: hop.body,
      signal: options.signal,
    });
    return await readResponse(hop.url, response, options);
  } finally {
    await client.destroy();
  }
}

async function readResponse(
  url: URL,
  { statusCode: status, headers, body }: Dispatcher.ResponseData,
  options: ExchangeOptions,
): Promise<ExchangeResult> {
  const contentType = mediaTypeOf(textOf(headers["content-type"]));
  try {
    if (isRedirect(status)) return { kind: "redirect", status, location: textOf(headers["location"]) };
    checkHead(url, status, contentType, headers, options);
    return { kind: "answer", status, contentType, bytes: await readBody(url, body, options.maxBytes) };
  } finally {
    // Of a body that is not read to its end, nobody hears the error that this makes.
    body.on("error", () => {});
    body.destroy();
  }
}

function checkHead(
  url: URL,
  status: number,
  contentType: string | null,
  headers: Dispatcher.ResponseData["headers"],
  { accept, maxBytes }: ExchangeOptions,
): void {
  if (status < 200 || status > 299) {
    throw requestFailed("status", `${url.origin} answered with status ${status}.`, { status });
  }
  const encoding = textOf(headers["content-encoding"]) ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw requestFailed("bad-response", `${url.origin} sent a compressed body, which was not asked for.`);
  }
  if (contentType !== null && accept.length > 0 && !accept.some((type) => isOfType(contentType, type))) {
    const message = `${url.origin} sent another type than ${accept.join(", ")}.`;
    throw requestFailed("bad-response", message);
  }
  if (Number(textOf(headers["content-length"]) ?? 0) > maxBytes) throw tooLarge(url, maxBytes);
}

async function readBody(url: URL, body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw tooLarge(url, maxBytes);
    chunks.push(chunk);
  }
  // One memory of its own: Buffer.concat may give a part of one that is shared.
  const bytes = new Uint8Array(sizeBytes);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function tooLarge(url: URL, maxBytes: number): Error {
  return requestFailed("too-large", `${url.origin} sent more than ${maxBytes} bytes.`);
}

function textOf(header: string | string[] | undefined): string | null {
  return (Array.isArray(header) ? header[0] : header) ?? null;
}

function mediaTypeOf(header: string | null): string | null {
  const type = header?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return type === "" ? null : type;
}

function isOfType(contentType: string, accepted: string): boolean {
  return accepted.endsWith("/*") ? contentType.startsWith(accepted.slice(0, -1)) : contentType === accepted;
}
