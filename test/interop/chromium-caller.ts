import { ChromiumPipe } from "./chromium-pipe.ts";

/** What the page's inbound-rtp statistics and its ear say. */
export interface Heard {
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly totalAudioEnergy: number;
  readonly concealedSamples: number;
  readonly totalSamplesReceived: number;
  /** Of the loudest line of the spectrum at this moment. */
  readonly dominantHz: number;
}

const OFFER = `(async () => {
  const context = new AudioContext({ sampleRate: 48000 });
  const tone = new OscillatorNode(context, { frequency: 440 });
  const voice = context.createMediaStreamDestination();
  tone.connect(new GainNode(context, { gain: 0.3 })).connect(voice);
  tone.start();
  const peer = new RTCPeerConnection();
  const ear = new AnalyserNode(context, { fftSize: 16384, smoothingTimeConstant: 0 });
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
  const dominantHz = spectrum.indexOf(Math.max(...spectrum)) * context.sampleRate / ear.fftSize;
  const inbound = [...(await peer.getStats()).values()].find(({ type }) => type === "inbound-rtp") ?? {};
  const { packetsReceived = 0, packetsLost = 0, totalAudioEnergy = 0 } = inbound;
  const { concealedSamples = 0, totalSamplesReceived = 0 } = inbound;
  return { packetsReceived, packetsLost, totalAudioEnergy, concealedSamples, totalSamplesReceived, dominantHz };
})()`;

/** A caller in a headless Chromium: libwebrtc, as in WhatsApp's own apps. It sends a tone of 440 Hz. */
export class ChromiumCaller implements AsyncDisposable {
  readonly #browser: ChromiumPipe;
  readonly offer: string;

  private constructor(browser: ChromiumPipe, offer: string) {
    this.#browser = browser;
    this.offer = offer;
  }

  static async call(): Promise<ChromiumCaller> {
    const browser = await ChromiumPipe.launch();
    return new ChromiumCaller(browser, String(await browser.evaluate(OFFER)));
  }

  async take(answer: string): Promise<void> {
    const description = JSON.stringify({ type: "answer", sdp: answer });
    await this.#browser.evaluate(`window.ringback.peer.setRemoteDescription(${description})`);
  }

  async press(digits: string): Promise<void> {
    await this.#browser.evaluate(
      `window.ringback.sender.dtmf.insertDTMF(${JSON.stringify(digits)}, 100, 70)`,
    );
  }

  async heard(): Promise<Heard> {
    return (await this.#browser.evaluate(HEARD)) as Heard;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser[Symbol.asyncDispose]();
  }
}
