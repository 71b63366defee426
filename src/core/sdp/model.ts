/** RFC 8842 §4.1: who sends the DTLS ClientHello. `active` is the client. */
export type DtlsSetup = "active" | "passive" | "actpass";

/** RFC 8839 §5.1, only what a call needs. */
export interface IceCandidate {
  readonly foundation: string;
  /** 1 for RTP (and RTCP muxed onto it), 2 for RTCP. */
  readonly componentId: number;
  readonly transport: "udp" | "tcp";
  readonly priority: number;
  readonly address: string;
  readonly port: number;
  readonly type: "host" | "srflx" | "prflx" | "relay";
}

/** RFC 8122 §5. `value` is upper-case hex in pairs with colons. `algorithm` is lower case. */
export interface Fingerprint {
  readonly algorithm: string;
  readonly value: string;
}

/** What one side's SDP says about the single audio section of a WhatsApp call. */
export interface AudioDescription {
  /** Value of `a=mid`, empty when there is none. */
  readonly mid: string;
  /** False when no `a=group:BUNDLE` names the section: an answer must then have none (RFC 9143 §7.3). Default true. */
  readonly isBundled?: boolean;
  readonly iceUfrag: string;
  readonly icePwd: string;
  readonly iceLite: boolean;
  readonly fingerprints: readonly Fingerprint[];
  readonly setup: DtlsSetup;
  readonly candidates: readonly IceCandidate[];
  /** Payload type and `a=fmtp` parameters (empty string when there are none) of opus/48000/2. */
  readonly opus: { readonly payloadType: number; readonly parameters: string };
  /** Payload type of telephone-event/8000, null when it is not there. */
  readonly telephoneEvent: { readonly payloadType: number } | null;
  /** First `a=ssrc`, null when there is none. */
  readonly ssrc: number | null;
}

/** Our own side of a call, from which an answer or an offer is built. */
export interface LocalAudio {
  readonly iceUfrag: string;
  readonly icePwd: string;
  /** The certificate's SHA-256 fingerprint. There is no place for another one: WhatsApp refuses any. */
  readonly sha256Fingerprint: string;
  readonly setup: DtlsSetup;
  readonly candidates: readonly IceCandidate[];
  readonly ssrc: number;
  readonly cname: string;
  /** Numeric `o=` session id, RFC 8866 §5.2. */
  readonly sessionId: string;
}
