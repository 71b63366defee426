import type { IceCandidate } from "../../core/sdp/model.ts";
import { RingbackError } from "../../errors.ts";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { type Random, randomUint32, systemRandom } from "../../platform/random.ts";
import { AudioTrack, sharedDecoder } from "./audio-track.ts";
import { sharedCertificate } from "./certificate.ts";
import { Ear } from "./ear.ts";
import { toNetworkSettings } from "./network-options.ts";
import { NetworkSocket } from "./network-socket.ts";
import type { PhoneMedia, PhoneMediaOptions, PhoneMediaParameters } from "./phone-media.ts";
import { openPhoneSocket } from "./phone-socket.ts";
import { SimulatedPhone } from "./simulated-phone.ts";
import type { StunAddress } from "./stun.ts";
import { createVoice } from "./voice.ts";

const DEFAULT_KEEP_AUDIO_MS = 120_000;
const MAX_KEEP_AUDIO_MS = 3_600_000;

/**
 * Opens the phone's socket and prepares its voice.
 * @throws {RingbackError} `MEDIA_FILE_UNUSABLE` for the voice's file; `OPTION_INVALID` for a voice that cannot be said, for
 * `keepAudioMs`, for the network, and for a `host` that is no address of this machine.
 */
export async function createPhoneMedia(
  options: PhoneMediaOptions & { readonly clock?: Clock; readonly random?: Random },
): Promise<PhoneMedia> {
  const random = options.random ?? systemRandom;
  const keepAudioMs = options.keepAudioMs ?? DEFAULT_KEEP_AUDIO_MS;
  if (!(keepAudioMs >= 0 && keepAudioMs <= MAX_KEEP_AUDIO_MS)) {
    throw new RingbackError(
      "OPTION_INVALID",
      `keepAudioMs must be 0–${MAX_KEEP_AUDIO_MS}, got ${keepAudioMs}`,
      {
        details: { option: "keepAudioMs" },
      },
    );
  }
  const network = options.network === undefined ? null : toNetworkSettings(options.network);
  const [voice, certificate, decoder] = await Promise.all([
    createVoice(options.voice),
    sharedCertificate(),
    sharedDecoder(),
  ]);
  const port = await openPhoneSocket(options.host ?? null);
  const parameters: PhoneMediaParameters = {
    // WhatsApp's have 16 letters and digits, and 24 characters of base64 with its padding (live offers, 2025-2026).
    iceUfrag: Buffer.from(random(8)).toString("hex"),
    icePwd: Buffer.from(random(16)).toString("base64"),
    sha256Fingerprint: certificate.sha256Fingerprint,
    candidates: port.addresses.map((at) => hostCandidate(at, randomUint32(random))),
    ssrc: randomUint32(random),
  };
  const clock = options.clock ?? systemClock;
  return new SimulatedPhone({
    options,
    parameters,
    certificate,
    socket: new NetworkSocket(port, network, clock),
    voice,
    ear: new Ear(decoder, keepAudioMs),
    sent: new AudioTrack(decoder, keepAudioMs),
    clock,
    random,
  });
}

function hostCandidate({ address, port }: StunAddress, foundation: number): IceCandidate {
  return {
    foundation: String(foundation),
    componentId: 1,
    transport: "udp",
    // As in live offers, where IPv6 comes second and has the higher priority.
    priority: address.includes(":") ? 2_122_262_783 : 2_122_260_223,
    address,
    port,
    type: "host",
  };
}
