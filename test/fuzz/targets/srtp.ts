import { isRtcp } from "../../../src/core/transport/rtp/rtp.ts";
import { SRTP_KEY_BYTES, type SrtpProfile } from "../../../src/core/transport/srtp/srtp-profile.ts";
import { SrtpReceiver } from "../../../src/core/transport/srtp/srtp-receiver.ts";
import { SrtpSender } from "../../../src/core/transport/srtp/srtp-sender.ts";
import { SeededRandom } from "../../../src/testing/seeded-random.ts";
import { rtpLayout } from "../layouts.ts";
import { type FuzzTarget, must } from "../target.ts";
import { RTCP_SAMPLES } from "./rtcp.ts";
import { rtpStream } from "./rtp.ts";

/** One side of a stream, encrypted; then the same packets in the clear. */
interface Stream {
  readonly profile: SrtpProfile;
  readonly master: { readonly key: Uint8Array; readonly salt: Uint8Array };
  readonly encrypted: readonly Uint8Array[];
  readonly plain: readonly Uint8Array[];
}

/** Fewer than the replay window holds: whatever the order, none is too old. */
const RTP_PACKETS = 24;

export const SRTP_GCM: FuzzTarget = srtpTarget("srtp-gcm", "SRTP_AEAD_AES_128_GCM");
export const SRTP_CM: FuzzTarget = srtpTarget("srtp-cm", "SRTP_AES128_CM_HMAC_SHA1_80");

/** Forged and repeated packets among the right ones, each of which must still come through, once. */
function srtpTarget(name: string, profile: SrtpProfile): FuzzTarget {
  const stream = encrypt(profile);
  const indexes = new Map(stream.encrypted.map((packet, index) => [hex(packet), index]));
  return {
    name,
    layoutOf: rtpLayout,
    open() {
      const receiver = new SrtpReceiver(profile, stream.master);
      const received = new Set<number>();
      const unprotect = (bytes: Uint8Array): void => {
        const index = indexes.get(hex(bytes));
        const length = isRtcp(bytes) ? receiver.unprotectRtcp(bytes) : receiver.unprotectRtp(bytes);
        if (index === undefined || received.has(index)) {
          must(length === -1, "what is forged or repeated is dropped");
          return;
        }
        received.add(index);
        must(length >= 0, "what is right is taken");
        must(
          hex(bytes.subarray(0, length)) === hex(stream.plain[index] ?? bytes),
          "it is decrypted as it was",
        );
      };
      return {
        samples: stream.encrypted,
        take: (bytes) => unprotect(bytes),
        check() {
          for (const [index, packet] of stream.encrypted.entries()) {
            if (!received.has(index)) unprotect(packet.slice());
          }
        },
      };
    },
  };
}

function encrypt(profile: SrtpProfile): Stream {
  const random = new SeededRandom(5).bytes;
  const { key, salt } = SRTP_KEY_BYTES[profile];
  const master = { key: random(key), salt: random(salt) };
  const sender = new SrtpSender(profile, master);
  const out = new Uint8Array(1500);
  const rtp = rtpStream(RTP_PACKETS);
  const encrypted = [
    ...rtp.map((packet) => out.slice(0, sender.protectRtp(packet, packet.length, out, 0))),
    ...RTCP_SAMPLES.map((packet) => out.slice(0, sender.protectRtcp(packet, packet.length, out, 0))),
  ];
  return { profile, master, encrypted, plain: [...rtp, ...RTCP_SAMPLES] };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
