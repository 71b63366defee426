import { createHmac, timingSafeEqual } from "node:crypto";
import type { Random } from "../../random.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { ParsedClientHello } from "./hello-messages.ts";

const SECRET_BYTES = 32;
/** A HelloVerifyRequest with it has 60 bytes in its record, the smallest ClientHello 67: no answer outweighs its request. */
const COOKIE_BYTES = 32;

/**
 * The server's stateless cookies (RFC 6347 §4.2.1): an HMAC over the parameters that the client must repeat. The
 * address is not in it, as an association has one path: its secret is its own, and so is the cookie.
 */
export class HelloCookie {
  readonly #secret: Uint8Array;

  constructor(random: Random) {
    this.#secret = Uint8Array.from(random(SECRET_BYTES));
  }

  create({ version, random, sessionId, cipherSuites, compressionMethods }: ParsedClientHello): Uint8Array {
    const parameters = new ByteWriter()
      .uint16(version)
      .bytes(random)
      .vector8(sessionId)
      .uint16List(cipherSuites)
      .vector8(compressionMethods)
      .finish();
    return createHmac("sha256", this.#secret).update(parameters).digest();
  }

  isOurs(hello: ParsedClientHello): boolean {
    return hello.cookie.length === COOKIE_BYTES && timingSafeEqual(hello.cookie, this.create(hello));
  }
}
