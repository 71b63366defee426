import type { DtlsRole } from "../../src/core/transport/dtls/dtls-association.ts";
import type { SrtpProfile } from "../../src/core/transport/srtp/srtp-profile.ts";
import type { Tone } from "./tone.ts";

/** What a caller hears, of half a second or more. */
export interface Heard extends Tone {
  /** Null where the stack does not say. */
  readonly packetsLost: number | null;
}

/** A running peer that has made an offer. It says `PEER_TONE` as soon as it is connected. */
export interface Caller extends AsyncDisposable {
  /** SDP, with its candidates. */
  readonly offer: string;
  take(answer: string): Promise<void>;
  heard(): Promise<Heard>;
  /** Null: the stack sends no telephone events. */
  readonly press: ((digits: string) => Promise<void>) | null;
}

/** Another stack that can call us. */
export interface InteropPeer {
  readonly name: string;
  /** Why it cannot run here; null when it can. */
  readonly missing: string | null;
  /** What it agrees on with us, who prefer GCM, by our DTLS role: the server chooses. */
  readonly srtpProfiles: Readonly<Record<DtlsRole, SrtpProfile>>;
  /** The interface that it is to be reached at. Default: all but loopback. */
  readonly address?: string;
  call(): Promise<Caller>;
}

export const GCM_IN_BOTH_ROLES: InteropPeer["srtpProfiles"] = {
  client: "SRTP_AEAD_AES_128_GCM",
  server: "SRTP_AEAD_AES_128_GCM",
};

export const CM_IN_BOTH_ROLES: InteropPeer["srtpProfiles"] = {
  client: "SRTP_AES128_CM_HMAC_SHA1_80",
  server: "SRTP_AES128_CM_HMAC_SHA1_80",
};
