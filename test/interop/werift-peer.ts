import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters } from "werift";
import { PacketEar } from "./packet-ear.ts";
import { PacketVoice } from "./packet-voice.ts";
import { type Caller, GCM_IN_BOTH_ROLES, type InteropPeer } from "./peer.ts";

const OPUS = new RTCRtpCodecParameters({
  mimeType: "audio/opus",
  clockRate: 48_000,
  channels: 2,
  payloadType: 111,
});

/** werift: all of it in TypeScript. */
export const WERIFT: InteropPeer = {
  name: "werift",
  missing: null,
  srtpProfiles: GCM_IN_BOTH_ROLES,
  call,
};

async function call(): Promise<Caller> {
  const peer = new RTCPeerConnection({ codecs: { audio: [OPUS] }, iceServers: [] });
  const track = new MediaStreamTrack({ kind: "audio" });
  const ear = new PacketEar();
  const transceiver = peer.addTransceiver(track, { direction: "sendrecv" });
  peer.onTrack.subscribe((incoming) => {
    incoming.onReceiveRtp.subscribe((packet) => ear.receive(packet.serialize()));
  });
  await peer.setLocalDescription(await peer.createOffer());
  const voice = await PacketVoice.start(transceiver.sender.ssrc, (packet) => {
    if (peer.connectionState === "connected") track.writeRtp(packet);
  });
  return {
    offer: peer.localDescription?.sdp ?? "",
    take: (sdp) => peer.setRemoteDescription({ type: "answer", sdp }),
    heard: () => ear.heard(),
    // Its sender gives every packet the payload type of the first codec.
    press: null,
    [Symbol.asyncDispose]: async () => {
      voice.stop();
      await peer.close();
    },
  };
}
