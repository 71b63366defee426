// A media engine without a network, for what is measured besides media.
export class LightEngine {
  name = "light";
  #legs = 0;

  async openLeg(offer, listener) {
    this.#legs += 1;
    let isOpen = true;
    const connect = () => {
      setImmediate(() => {
        if (!isOpen) return;
        listener.onIceConnected();
        listener.onState("connected");
      });
    };
    return {
      local: localAudio(offer, this.#legs),
      connect,
      sendRtp: () => isOpen,
      sendRtcp: () => isOpen,
      stats: () => ({ bytesSent: 0, bytesReceived: 0, sendsDropped: 0, rttMs: null, datagramsDropped: 0 }),
      close: () => {
        isOpen = false;
      },
    };
  }

  async close() {}
}

function localAudio(offer, number) {
  const candidate = {
    foundation: "1",
    componentId: 1,
    transport: "udp",
    priority: 2_130_706_431,
    type: "host",
  };
  return {
    iceUfrag: `ufrag${number}`,
    icePwd: `thePasswordOfALightLeg${number}`,
    sha256Fingerprint: Array.from({ length: 32 }, () => "AB").join(":"),
    setup: offer.setup === "active" ? "passive" : "active",
    candidates: [{ ...candidate, address: "127.0.0.1", port: 40_000 + (number % 20_000) }],
    ssrc: 1_000 + number,
    cname: `light-${number}`,
    sessionId: String(number),
  };
}
