import { ChromiumPipe, isChromiumInstalled } from "./chromium-pipe.ts";
import type { Caller, Heard, InteropPeer } from "./peer.ts";
import { PEER_TONE } from "./tone.ts";

const CERTIFICATES = {
  ecdsa: `{ name: "ECDSA", namedCurve: "P-256" }`,
  rsa: `{ name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" }`,
} as const;

/** libwebrtc, as in WhatsApp's own apps, with BoringSSL's DTLS, which offers 1.3 first. */
export const CHROMIUM: InteropPeer = chromium("Chromium", "ecdsa");
export const CHROMIUM_RSA: InteropPeer = chromium("Chromium with an RSA certificate", "rsa");

function chromium(name: string, certificate: keyof typeof CERTIFICATES): InteropPeer {
  return {
    name,
    missing: isChromiumInstalled() ? null : "not installed (Debian package chromium)",
    srtpProfiles: { client: "SRTP_AES128_CM_HMAC_SHA1_80", server: "SRTP_AEAD_AES_128_GCM" },
    address: "127.0.0.1",
    call: () => call(CERTIFICATES[certificate]),
  };
}

async function call(certificate: string): Promise<Caller> {
  const browser = await ChromiumPipe.launch();
  return {
    offer: String(await browser.evaluate(offerWith(certificate))),
    take: async (sdp) => {
      const answer = JSON.stringify({ type: "answer", sdp });
      await browser.evaluate(`window.ringback.peer.setRemoteDescription(${answer})`);
    },
    heard: async () => (await browser.evaluate(HEARD)) as Heard,
    press: async (digits) => {
      await browser.evaluate(`window.ringback.sender.dtmf.insertDTMF(${JSON.stringify(digits)}, 100, 70)`);
    },
    [Symbol.asyncDispose]: () => browser[Symbol.asyncDispose](),
  };
}

const offerWith = (certificate: string): string => `(async () => {
  const context = new AudioContext({ sampleRate: 48000 });
  const tone = new OscillatorNode(context, { frequency: ${PEER_TONE.hz} });
  const voice = context.createMediaStreamDestination();
  tone.connect(new GainNode(context, { gain: ${PEER_TONE.level} })).connect(voice);
  tone.start();
  const certificates = [await RTCPeerConnection.generateCertificate(${certificate})];
  const peer = new RTCPeerConnection({ certificates });
  const ear = new AnalyserNode(context, { fftSize: 32768, smoothingTimeConstant: 0 });
  peer.ontrack = ({ track }) => {
    const stream = new MediaStream([track]);
    // Chromium decodes what an element plays.
    const element = new Audio();
    element.srcObject = stream;
    element.play();
    context.createMediaStreamSource(stream).connect(ear);
    window.ringbackElement = element;
  };
  const sender = peer.addTrack(voice.stream.getAudioTracks()[0], voice.stream);
  window.ringback = { context, ear, peer, sender };
  await peer.setLocalDescription();
  while (peer.iceGatheringState !== "complete") await new Promise((resolve) => setTimeout(resolve, 10));
  return peer.localDescription.sdp;
})()`;

const HEARD = `(async () => {
  const { context, ear, peer } = window.ringback;
  const spectrum = new Float32Array(ear.frequencyBinCount);
  ear.getFloatFrequencyData(spectrum);
  const hz = spectrum.indexOf(Math.max(...spectrum)) * context.sampleRate / ear.fftSize;
  const samples = new Float32Array(ear.fftSize);
  ear.getFloatTimeDomainData(samples);
  const level = Math.sqrt(2 * samples.reduce((sum, sample) => sum + sample ** 2, 0) / samples.length);
  const inbound = [...(await peer.getStats()).values()].find(({ type }) => type === "inbound-rtp");
  return { hz, level, packetsLost: inbound?.packetsLost ?? null };
})()`;
