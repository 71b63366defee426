import { Audio, PeerConnection, RtcpReceivingSession, type Track } from "node-datachannel";
import { expect } from "vitest";
import type { AudioDescription, DtlsSetup, IceCandidate, LocalAudio } from "../../src/core/sdp/model.ts";
import { eventually } from "../support/eventually.ts";

/** The peer that offers: another endpoint with real UDP, ICE, DTLS and SRTP, on 127.0.0.1 if not on `address`. */
export class OfferingPeer {
  readonly #peer: PeerConnection;
  readonly #address: string;
  readonly #track: Track;
  readonly received: Buffer[] = [];
  readonly #setup: DtlsSetup;

  constructor(setup: DtlsSetup, address = "127.0.0.1") {
    this.#setup = setup;
    this.#address = address;
    this.#peer = new PeerConnection("offerer", { iceServers: [], bindAddress: address });
    const audio = new Audio("audio", "SendRecv");
    audio.addOpusCodec(111);
    audio.addAudioCodec(126, "telephone-event/8000");
    audio.addSSRC(7, "offerer");
    this.#track = this.#peer.addTrack(audio);
    // Answers sender reports.
    this.#track.setMediaHandler(new RtcpReceivingSession());
    this.#track.onMessage((packet) => this.received.push(packet));
    // Without these two the binding keeps them, and the process, alive until they are garbage.
    this.#track.onClosed(() => {});
    this.#peer.onStateChange(() => {});
  }

  /** Our offer; `setup` may narrow the roles down, and the answer then decides as `actpass` would have it. */
  async offer(): Promise<AudioDescription> {
    this.#peer.setLocalDescription("offer");
    await eventually(() => expect(this.#peer.gatheringState()).toBe("complete"));
    const sdp = this.#peer.localDescription()?.sdp ?? "";
    const value = (name: string): string => new RegExp(`^a=${name}:(.*)$`, "m").exec(sdp)?.[1]?.trim() ?? "";
    return {
      mid: "audio",
      iceUfrag: value("ice-ufrag"),
      icePwd: value("ice-pwd"),
      iceLite: false,
      fingerprints: [{ algorithm: "sha-256", value: value("fingerprint").replace("sha-256 ", "") }],
      setup: this.#setup,
      candidates: [{ ...hostCandidate(this.#port(sdp)), address: this.#address }],
      opus: { payloadType: 111, parameters: "useinbandfec=1" },
      telephoneEvent: { payloadType: 126 },
      ssrc: 7,
    };
  }

  /** Takes the leg's answer, without its candidates: like WhatsApp's relay, it learns them from the checks. */
  answer(local: LocalAudio): void {
    const sdp = [
      "v=0",
      "o=- 1 1 IN IP4 127.0.0.1",
      "s=-",
      "t=0 0",
      "a=group:BUNDLE audio",
      "m=audio 9 UDP/TLS/RTP/SAVPF 111 126",
      "c=IN IP4 0.0.0.0",
      "a=mid:audio",
      `a=ice-ufrag:${local.iceUfrag}`,
      `a=ice-pwd:${local.icePwd}`,
      `a=fingerprint:sha-256 ${local.sha256Fingerprint}`,
      `a=setup:${local.setup}`,
      "a=sendrecv",
      "a=rtcp-mux",
      "a=rtpmap:111 opus/48000/2",
      "a=rtpmap:126 telephone-event/8000",
      `a=ssrc:${local.ssrc} cname:${local.cname}`,
      "",
    ].join("\r\n");
    this.#peer.setRemoteDescription(sdp, "answer");
  }

  get isOpen(): boolean {
    return this.#track.isOpen();
  }

  send(packet: Uint8Array): void {
    this.#track.sendMessageBinary(Buffer.from(packet));
  }

  close(): void {
    this.#track.close();
    this.#peer.close();
  }

  #port(sdp: string): number {
    const candidates = sdp.matchAll(/^a=candidate:.* (\S+) (\d+) typ host/gm);
    return Number([...candidates].find(([, address]) => address === this.#address)?.[2]);
  }
}

export function hostCandidate(port: number): IceCandidate {
  return {
    foundation: "1",
    componentId: 1,
    transport: "udp",
    priority: 2_122_260_223,
    address: "127.0.0.1",
    port,
    type: "host",
  };
}
