import type { FuzzTarget } from "../target.ts";
import { CALL, CALL_SETUP, CALL_SETUP_SERVER } from "./call.ts";
import { DTLS_CONNECTED } from "./dtls-connected.ts";
import { DTLS_CRYPTO } from "./dtls-crypto.ts";
import { DTLS_CLIENT, DTLS_SERVER } from "./dtls-handshake.ts";
import { DTLS_LYING_CLIENT, DTLS_LYING_SERVER } from "./dtls-liar.ts";
import { FLOW } from "./flow.ts";
import { ICE, ICE_LITE } from "./ice.ts";
import { JITTER_BUFFER } from "./jitter-buffer.ts";
import { RECORDING } from "./recording.ts";
import { RTCP } from "./rtcp.ts";
import { RTP } from "./rtp.ts";
import { SDP } from "./sdp.ts";
import { SRTP_CM, SRTP_GCM } from "./srtp.ts";
import { STUN } from "./stun.ts";
import { TELEPHONE_EVENT } from "./telephone-event.ts";

export const TARGETS: readonly FuzzTarget[] = [
  STUN,
  ICE,
  ICE_LITE,
  DTLS_CLIENT,
  DTLS_SERVER,
  DTLS_CONNECTED,
  DTLS_LYING_CLIENT,
  DTLS_LYING_SERVER,
  DTLS_CRYPTO,
  SRTP_GCM,
  SRTP_CM,
  RTP,
  RTCP,
  TELEPHONE_EVENT,
  JITTER_BUFFER,
  RECORDING,
  SDP,
  FLOW,
  CALL,
  CALL_SETUP,
  CALL_SETUP_SERVER,
];

export function findTarget(name: string): FuzzTarget {
  const target = TARGETS.find((each) => each.name === name);
  if (target !== undefined) return target;
  throw new Error(`no target "${name}"; there are ${TARGETS.map((each) => each.name).join(", ")}`);
}
