import { SRTP_PROFILE_IDS, type SrtpProfile } from "../srtp/srtp-profile.ts";
import { AlertDescription } from "./alert.ts";
import { CIPHER_SUITES, type CipherSuite } from "./cipher-suites.ts";
import { failure, type HandshakeFailure } from "./handshake.ts";
import type { HelloExtensions } from "./hello-extensions.ts";
import {
  includesDtls12,
  NO_COMPRESSION,
  type ParsedClientHello,
  RENEGOTIATION_SCSV,
} from "./hello-messages.ts";
import { NAMED_GROUP_IDS, type NamedGroup } from "./key-exchange.ts";
import { OWN_SIGNATURE_SCHEME } from "./signature.ts";

const EMPTY = new Uint8Array(0);

/** What a server makes of a ClientHello. */
export interface ServerChoice {
  readonly kind: "agreed";
  readonly suite: CipherSuite;
  readonly group: NamedGroup;
  readonly srtpProfile: SrtpProfile;
  /** Of the ServerHello. */
  readonly extensions: HelloExtensions;
}

/** Picks by our preference from what the client offers, RFC 5246 §7.4.1.3. */
export function chooseParameters(
  hello: ParsedClientHello,
  srtpProfiles: readonly SrtpProfile[],
): ServerChoice | HandshakeFailure {
  const fault = checkClientHello(hello);
  if (fault !== null) return fault;
  // Our certificate is ECDSA, and so are the suites to choose from.
  const suite = CIPHER_SUITES.find(
    ({ id, authentication }) => authentication === "ecdsa" && hello.cipherSuites.includes(id),
  );
  const group = chooseGroup(hello.extensions.supportedGroups);
  const offered = hello.extensions.useSrtp?.profiles ?? [];
  const srtpProfile = srtpProfiles.find((profile) => offered.includes(SRTP_PROFILE_IDS[profile]));
  const canVerifyUs = hello.extensions.signatureSchemes?.includes(OWN_SIGNATURE_SCHEME) ?? false;
  if (suite === undefined || group === null || srtpProfile === undefined || !canVerifyUs) {
    return failure(AlertDescription.handshakeFailure, "no-common-parameters");
  }
  return { kind: "agreed", suite, group, srtpProfile, extensions: answerExtensions(hello, srtpProfile) };
}

function checkClientHello({
  version,
  compressionMethods,
  extensions,
}: ParsedClientHello): HandshakeFailure | null {
  // DTLS 1.3 says 1.2 here (RFC 9147 §5.3) and means its extension, which we do not know: 1.2 it is.
  if (!includesDtls12(version)) return failure(AlertDescription.protocolVersion, "no-common-parameters");
  if (!compressionMethods.includes(NO_COMPRESSION)) return failure(AlertDescription.illegalParameter);
  const { renegotiationInfo, ecPointFormats } = extensions;
  // RFC 5746 §3.6: in a first handshake it is empty.
  if (renegotiationInfo && renegotiationInfo.length > 0) return failure(AlertDescription.handshakeFailure);
  // RFC 8422 §5.1.2: the uncompressed form is always among them.
  if (ecPointFormats && !ecPointFormats.includes(0)) return failure(AlertDescription.illegalParameter);
  return null;
}

/**
 * X25519 where there is a choice. RFC 8422 §4: a client that names no groups takes any. One that names P-384 alone could
 * not take our certificate, which is on P-256 (§5.1.1).
 */
function chooseGroup(supported: readonly number[] | undefined): NamedGroup | null {
  if (supported === undefined) return "secp256r1";
  if (supported.includes(NAMED_GROUP_IDS.x25519)) return "x25519";
  return supported.includes(NAMED_GROUP_IDS.secp256r1) ? "secp256r1" : null;
}

/** RFC 5246 §7.4.1.4: only those that the client sent. */
function answerExtensions(hello: ParsedClientHello, srtpProfile: SrtpProfile): HelloExtensions {
  const { renegotiationInfo, extendedMasterSecret, ecPointFormats } = hello.extensions;
  // RFC 5746 §3.6: the SCSV asks for the extension just as well.
  const hasRenegotiationInfo =
    renegotiationInfo !== undefined || hello.cipherSuites.includes(RENEGOTIATION_SCSV);
  return {
    ...(hasRenegotiationInfo && { renegotiationInfo: EMPTY }),
    ...(extendedMasterSecret === true && { extendedMasterSecret }),
    ...(ecPointFormats && { ecPointFormats: [0] }),
    // RFC 5764 §4.1.3: an MKI that we do not use is answered with an empty one.
    useSrtp: { profiles: [SRTP_PROFILE_IDS[srtpProfile]], mki: EMPTY },
  };
}
