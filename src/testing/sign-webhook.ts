import { escapeNonAscii, signWebhook } from "../whatsapp/signature.ts";

/** What a webhook of Meta's consists of, ready for `fetch`, `inject` or a raw socket. */
export interface SignedWebhook {
  readonly body: Uint8Array;
  readonly headers: { readonly "content-type": string; readonly "x-hub-signature-256": string };
}

/**
 * Makes a webhook request as Meta sends it: JSON with escaped non-ASCII characters, signed over exactly those bytes.
 *
 * @param envelope The object to send, usually `{ object: "whatsapp_business_account", entry: [...] }`.
 * @param appSecret The secret that the receiver is configured with.
 * @throws {RingbackError} `OPTION_INVALID` when the secret is empty.
 */
export function createSignedWebhook(envelope: object, appSecret: string): SignedWebhook {
  const body = new TextEncoder().encode(escapeNonAscii(JSON.stringify(envelope)));
  return {
    body,
    headers: { "content-type": "application/json", "x-hub-signature-256": signWebhook(body, appSecret) },
  };
}
