import { SRTP_PROFILE_IDS, type SrtpProfile } from "../srtp/srtp-profile.ts";
import { AlertDescription } from "./alert.ts";
import { cipherSuite } from "./cipher-suites.ts";
import { failure, type HandshakeFailure, type Negotiated } from "./handshake.ts";
import type { HelloExtensions, UseSrtp } from "./hello-extensions.ts";
import { NO_COMPRESSION, type ParsedServerHello } from "./hello-messages.ts";
import { DTLS_1_2 } from "./record.ts";

type Agreed<T> = ({ readonly kind: "agreed" } & T) | HandshakeFailure;

/** What the server chose of our offer, RFC 5246 §7.4.1.3. */
export function checkServerHello(
  hello: ParsedServerHello,
  srtpProfiles: readonly SrtpProfile[],
): Agreed<Omit<Negotiated, "randoms">> {
  const { version, compressionMethod, extensions } = hello;
  if (version !== DTLS_1_2) return failure(AlertDescription.protocolVersion, "no-common-parameters");
  const suite = cipherSuite(hello.cipherSuite);
  if (suite === null || compressionMethod !== NO_COMPRESSION) {
    return failure(AlertDescription.illegalParameter);
  }
  const fault = checkExtensions(extensions, extensions.hasUnknown);
  if (fault !== null) return fault;
  const srtp = checkUseSrtp(extensions.useSrtp, srtpProfiles);
  if (srtp.kind === "failed") return srtp;
  const usesExtendedMasterSecret = extensions.extendedMasterSecret === true;
  return { kind: "agreed", suite, srtpProfile: srtp.profile, usesExtendedMasterSecret };
}

function checkExtensions(extensions: HelloExtensions, hasUnknown: boolean): HandshakeFailure | null {
  // RFC 5246 §7.4.1.4: none that we did not offer.
  if (hasUnknown) return failure(AlertDescription.unsupportedExtension);
  const { renegotiationInfo, ecPointFormats } = extensions;
  // RFC 5746 §3.4: in a first handshake it is empty. Absent is fine too, as we never renegotiate.
  if (renegotiationInfo && renegotiationInfo.length > 0) return failure(AlertDescription.handshakeFailure);
  // RFC 8422 §5.2: the uncompressed form is always among them.
  if (ecPointFormats && !ecPointFormats.includes(0)) return failure(AlertDescription.illegalParameter);
  return null;
}

/** RFC 5764 §4.1.1: one profile of our offer. §4.1.3: no MKI, as we offered none. */
function checkUseSrtp(
  answer: UseSrtp | undefined,
  offered: readonly SrtpProfile[],
): Agreed<{ readonly profile: SrtpProfile }> {
  // A server that has no profile in common leaves the extension out.
  if (answer === undefined) return failure(AlertDescription.handshakeFailure, "no-common-parameters");
  const profile = offered.find((candidate) => SRTP_PROFILE_IDS[candidate] === answer.profiles[0]);
  if (profile === undefined || answer.profiles.length !== 1 || answer.mki.length > 0) {
    return failure(AlertDescription.illegalParameter);
  }
  return { kind: "agreed", profile };
}
