import { Audio, PeerConnection } from "node-datachannel";
import { vi } from "vitest";
import { PacketEar } from "./packet-ear.ts";
import { PacketVoice, TELEPHONE_EVENT } from "./packet-voice.ts";
import { type Caller, GCM_IN_BOTH_ROLES, type InteropPeer } from "./peer.ts";

const SSRC = 7;

/** libdatachannel: libjuice's ICE, OpenSSL's DTLS, libsrtp. */
export const DATACHANNEL: InteropPeer = {
  name: "node-datachannel",
  missing: null,
  srtpProfiles: GCM_IN_BOTH_ROLES,
  address: "127.0.0.1",
  call,
};

async function call(): Promise<Caller> {
  const peer = new PeerConnection("caller", { iceServers: [], bindAddress: "127.0.0.1" });
  const audio = new Audio("audio", "SendRecv");
  audio.addOpusCodec(111);
  audio.addAudioCodec(TELEPHONE_EVENT, "telephone-event/8000");
  audio.addSSRC(SSRC, "caller");
  const track = peer.addTrack(audio);
  const ear = new PacketEar();
  track.onMessage((packet) => {
    const type = packet[1] ?? 0;
    if (type < 192 || type > 223) ear.receive(packet);
  });
  // Without these two the binding keeps them, and the process, alive until they are garbage.
  track.onClosed(() => {});
  peer.onStateChange(() => {});
  peer.setLocalDescription("offer");
  await vi.waitUntil(() => peer.gatheringState() === "complete");
  const voice = await PacketVoice.start(SSRC, (packet) => {
    if (track.isOpen()) track.sendMessageBinary(packet);
  });
  return {
    offer: peer.localDescription()?.sdp ?? "",
    take: async (answer) => {
      peer.setRemoteDescription(answer, "answer");
    },
    heard: () => ear.heard(),
    press: (digits) => voice.press(digits),
    [Symbol.asyncDispose]: async () => {
      voice.stop();
      track.close();
      peer.close();
    },
  };
}
