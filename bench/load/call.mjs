// One call as WhatsApp's relay makes it: an address of its own, ICE-lite, an actpass offer, DTLS server, Opus.
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readAudioDescription } from "../../dist/core/sdp/index.js";
import { CallTransport } from "../../dist/core/transport/call-transport.js";
import { RtpPacketBuffer, RtpWriter } from "../../dist/core/transport/rtp/rtp.js";
import { buildOffer } from "../../dist/simulator/offer.js";
import { firstFrame } from "../speech.mjs";

const HOST = "127.0.0.1";
const OPUS_PAYLOAD_TYPE = 111;
const SLOT_RTP_TICKS = 960;
const RTP_HEADER_BYTES = 12;
/** Checks that come before our program has read the answer wait for it, at most these. */
const MAX_EARLY_DATAGRAMS = 8;
/** RTP headers are in the clear: one packet in so many is decrypted, to see that it is authentic. */
const CHECK_EVERY = 50;
/** Sequence numbers that a packet may be ahead of the latest. */
const MAX_SEQUENCE_STEP = 0x8000;

/** What is sent goes out before the next packet is written: loopback does not make senders wait. */
const sendBuffer = Buffer.alloc(1_500);
/** A packet is encrypted into `sendBuffer` before the next one is written. */
const packetBuffer = new RtpPacketBuffer();

/** Addresses are literals: looking them up would put off each send to the next turn of the event loop. */
const literalLookup = (address, _options, callback) => callback(null, address, 4);

export class LoadCall {
  times = { offerMs: 0, answerMs: 0, connectedMs: 0, firstRtpMs: 0 };
  ended = null;
  packetsSent = 0;
  packetsReceived = 0;
  /** Of the datagrams of these packets. */
  bytesReceived = 0;
  /** From the first packet on, by sequence number: those that should have come. */
  packetsExpected = 0;
  checked = 0;
  authentic = 0;
  #id;
  #certificate;
  #gaps;
  #onFirstRtp = () => {};
  #socket = null;
  #credentials = { ufrag: randomBytes(8).toString("hex"), pwd: randomBytes(16).toString("base64") };
  #transport = null;
  #isConnected = false;
  #peer = null;
  #early = [];
  #speech;
  #nextFrame;
  #ssrc = randomBytes(4).readUInt32BE();
  #writer = new RtpWriter({
    ssrc: this.#ssrc,
    firstSequence: randomBytes(2).readUInt16BE(),
    firstTimestamp: randomBytes(4).readUInt32BE(),
    buffer: packetBuffer,
  });
  #ticks = 0;
  #highest = -1;
  #lastMs = 0;

  /** @param speech Opus packets that the caller says over and over. */
  constructor({ id, certificate, gaps, speech }) {
    this.#id = id;
    this.#certificate = certificate;
    this.#gaps = gaps;
    this.#speech = speech;
    this.#nextFrame = firstFrame(id, speech.length);
  }

  get id() {
    return this.#id;
  }

  /** Where the program listens, as its packets came from; null before they did. */
  get peer() {
    return this.#peer;
  }

  /** Both sides' names for the call: what an attacker would have to know. */
  get ufrags() {
    return { load: this.#credentials.ufrag, program: this.#remoteUfrag };
  }

  #remoteUfrag = "";

  /** Binds the call's socket and resolves with the offer. */
  async open() {
    this.#socket = createSocket({ type: "udp4", lookup: literalLookup });
    this.#socket.on("message", this.#onDatagram);
    this.#socket.on("error", (error) => this.#end(error.message));
    const listening = once(this.#socket, "listening");
    this.#socket.bind(0, HOST);
    await listening;
    const { port } = this.#socket.address();
    return buildOffer({
      form: "current",
      setup: "actpass",
      wallMs: Date.now(),
      random: randomBytes,
      parameters: {
        iceUfrag: this.#credentials.ufrag,
        icePwd: this.#credentials.pwd,
        sha256Fingerprint: this.#certificate.sha256Fingerprint,
        candidates: [hostCandidate(port)],
        ssrc: this.#ssrc,
      },
    });
  }

  applyAnswer(sdp, { srtpProfiles }) {
    const answer = readAudioDescription(sdp, { as: "answer" });
    this.#remoteUfrag = answer.iceUfrag;
    const nowMs = performance.now();
    this.#transport = new CallTransport(
      {
        ice: {
          local: this.#credentials,
          remote: {
            ufrag: answer.iceUfrag,
            pwd: answer.icePwd,
            isLite: answer.iceLite,
            candidates: answer.candidates,
          },
          isLite: true,
          isControlling: false,
          ipVersions: [4],
        },
        dtls: {
          role: answer.setup === "active" ? "server" : "client",
          certificate: this.#certificate,
          remoteFingerprints: answer.fingerprints,
          srtpProfiles,
        },
        random: randomBytes,
      },
      this.#sink(),
    );
    this.#transport.connect(nowMs);
    for (const { datagram, from } of this.#early) this.#transport.receive(datagram, from, nowMs);
    this.#early = [];
  }

  /** Resolves when the first RTP packet has come. */
  firstRtp() {
    return new Promise((resolve) => {
      this.#onFirstRtp = resolve;
      if (this.times.firstRtpMs > 0) resolve();
    });
  }

  /** Once a slot: what is due, and a packet. */
  tick(nowMs) {
    const transport = this.#transport;
    if (transport === null) return;
    if (transport.deadlineMs <= nowMs) transport.handleTimeout(nowMs);
    if (!this.#isConnected) return;
    const payload = this.#speech[this.#nextFrame];
    this.#nextFrame = (this.#nextFrame + 1) % this.#speech.length;
    this.#ticks += SLOT_RTP_TICKS;
    const packet = this.#writer.write(payload, OPUS_PAYLOAD_TYPE, this.#ticks, false);
    if (transport.sendRtp(packet)) this.packetsSent += 1;
  }

  /** Sends bytes that are not the call's, from the call's own address. */
  forge(datagram) {
    if (this.#peer !== null) this.#socket.send(datagram, this.#peer.port, this.#peer.address);
  }

  stats() {
    return this.#transport?.stats() ?? null;
  }

  close() {
    this.#transport?.close();
    this.#socket?.close();
    this.#transport = null;
    this.#socket = null;
    this.#isConnected = false;
  }

  #sink() {
    return {
      send: (datagram, to) => this.#send(Buffer.from(datagram), to),
      lend: () => sendBuffer,
      sendLent: (lengthBytes, to) => this.#send(sendBuffer.subarray(0, lengthBytes), to),
      onPeerAddress: () => {},
      onPeerAddressForgotten: () => {},
      onIceConnected: () => {},
      onConnected: () => {
        this.times.connectedMs = performance.now();
        this.#isConnected = true;
      },
      onRtp: () => {
        this.authentic += 1;
      },
      onRtcp: () => {},
      onEnd: (reason) => this.#end(reason),
    };
  }

  #send(datagram, to) {
    this.#socket?.send(datagram, 0, datagram.length, to.port, to.address);
    return true;
  }

  #end(reason) {
    this.ended ??= reason;
  }

  #onDatagram = (datagram, from) => {
    const nowMs = performance.now();
    if (this.#isConnected && isRtp(datagram)) {
      this.#onRtp(datagram, from, nowMs);
      return;
    }
    if (this.#transport !== null) {
      this.#transport.receive(datagram, from, nowMs);
      return;
    }
    // A full agent may check before the answer is read here; a relay would drop that, which costs a retransmission.
    if (this.#early.length < MAX_EARLY_DATAGRAMS) this.#early.push({ datagram, from });
  };

  #onRtp(datagram, from, nowMs) {
    const sequence = (datagram[2] << 8) | datagram[3];
    if (this.packetsReceived % CHECK_EVERY === 0) {
      this.checked += 1;
      this.#transport.receive(datagram, from, nowMs);
    }
    this.packetsReceived += 1;
    this.bytesReceived += datagram.length;
    if (this.#highest === -1) {
      this.times.firstRtpMs = nowMs;
      this.#peer = { address: from.address, port: from.port };
      this.packetsExpected = 1;
      this.#highest = sequence;
      this.#lastMs = nowMs;
      this.#onFirstRtp();
      return;
    }
    const step = (sequence - this.#highest) & 0xffff;
    if (step > 0 && step < MAX_SEQUENCE_STEP) {
      this.packetsExpected += step;
      this.#highest = sequence;
    }
    this.#gaps.add(nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }
}

/** RFC 7983: 128-191 is RTP or RTCP; RFC 5761 §4: the packet types of RTCP are 64-95 without the marker bit. */
function isRtp(datagram) {
  if (datagram.length < RTP_HEADER_BYTES || datagram[0] >> 6 !== 2) return false;
  const type = datagram[1] & 0x7f;
  return type < 64 || type > 95;
}

function hostCandidate(port) {
  return {
    foundation: "1",
    componentId: 1,
    transport: "udp",
    priority: 2_122_260_223,
    address: HOST,
    port,
    type: "host",
  };
}
