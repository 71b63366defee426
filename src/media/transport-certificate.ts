import { createCertificate, type DtlsCertificate } from "../core/transport/dtls/dtls-certificate.ts";
import type { Clock } from "../platform/clock.ts";
import type { Random } from "../platform/random.ts";

const DAY_MS = 86_400_000;

/** RFC 8827 §6.5 lets one certificate serve many calls; a new one each day keeps calls of different days apart. */
const LIFETIME_MS = 30 * DAY_MS;

/** The certificate for new calls: one that was given, or one made when it is first needed. A call keeps the one that its SDP names. */
export class CertificateSource {
  #given: DtlsCertificate | null;
  readonly #clock: Clock;
  readonly #random: Random;
  #made: DtlsCertificate | null = null;

  constructor(given: DtlsCertificate | null, clock: Clock, random: Random) {
    this.#given = given;
    this.#clock = clock;
    this.#random = random;
  }

  /** The one for new calls from now on, instead of making any. */
  use(certificate: DtlsCertificate): void {
    this.#given = certificate;
  }

  current(): DtlsCertificate {
    if (this.#given !== null) return this.#given;
    const nowMs = this.#clock.wallMs();
    if (this.#made === null || this.#made.notAfterMs - nowMs < LIFETIME_MS - DAY_MS) {
      this.#made = createCertificate({ nowMs, lifetimeMs: LIFETIME_MS, random: this.#random });
    }
    return this.#made;
  }
}
