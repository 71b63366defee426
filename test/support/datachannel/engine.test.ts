import { createSocket } from "node:dgram";
import { expect, test } from "vitest";
import type { AudioDescription } from "../../../src/core/sdp/model.ts";
import type { MediaLegListener } from "../../../src/media/engine.ts";
import { createDatachannelEngine } from "./engine.ts";

const listener: MediaLegListener = { onIceConnected() {}, onState() {}, onRtp() {}, onRtcp() {} };

const offer: AudioDescription = {
  mid: "audio",
  iceUfrag: "SJJXJHYPhhGFGPyd",
  icePwd: "sFDA3KtvPb8Qd+yv/1Ab3A==",
  iceLite: true,
  fingerprints: [{ algorithm: "SHA-256", value: Array.from({ length: 32 }, () => "AB").join(":") }],
  setup: "actpass",
  candidates: [],
  opus: { payloadType: 111, parameters: "" },
  telephoneEvent: null,
  ssrc: null,
};

async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

test.each([
  [{ bindAddress: "localhost" }, "bindAddress"],
  [{ publicAddress: "203.0.113.700" }, "publicAddress"],
  [{ portRange: { begin: 9000, end: 8000 } }, "portRange"],
  [{ portRange: { begin: 0, end: 8000 } }, "portRange"],
])("options %j are refused with the name of the option", async (options, option) => {
  await expect(createDatachannelEngine(options)).rejects.toMatchObject({
    code: "OPTION_INVALID",
    details: { option },
  });
});

test("the public address stands in the candidates, the port is from the range", async () => {
  const engine = await createDatachannelEngine({
    bindAddress: "127.0.0.1",
    publicAddress: "203.0.113.7",
    portRange: { begin: 41_000, end: 42_000 },
  });
  try {
    const { local } = await engine.openLeg(offer, listener);
    expect(local.candidates).toHaveLength(1);
    expect(local.candidates[0]?.address).toBe("203.0.113.7");
    expect(local.candidates[0]?.port).toBeGreaterThanOrEqual(41_000);
    expect(local.candidates[0]?.port).toBeLessThanOrEqual(42_000);
  } finally {
    await engine.close();
  }
});

test("an exhausted port range is a clear error, and the call that has the port keeps it", async () => {
  const port = await freePort();
  const engine = await createDatachannelEngine({
    bindAddress: "127.0.0.1",
    portRange: { begin: port, end: port },
  });
  try {
    const leg = await engine.openLeg(offer, listener);
    await expect(engine.openLeg(offer, listener)).rejects.toMatchObject({
      code: "MEDIA_ENGINE_FAILED",
      message: expect.stringContaining("portRange must have a free port"),
      details: { reason: "no local candidate" },
    });
    expect(leg.local.candidates[0]?.port).toBe(port);
    leg.close();
    const { local } = await engine.openLeg(offer, listener);
    expect(local.candidates[0]?.port).toBe(port);
  } finally {
    await engine.close();
  }
});

test("a bind address of another machine is a clear error", async () => {
  // RFC 5737: no machine has it.
  const engine = await createDatachannelEngine({ bindAddress: "203.0.113.9" });
  await expect(engine.openLeg(offer, listener)).rejects.toMatchObject({
    message: expect.stringContaining("bindAddress must be an address of this machine"),
  });
  await engine.close();
});

test("SSRC, CNAME and session id come from the given source of randomness", async () => {
  let next = 0;
  const random = (byteLength: number) => {
    next += 1;
    return new Uint8Array(byteLength).fill(next);
  };
  const engine = await createDatachannelEngine({ bindAddress: "127.0.0.1", random });
  try {
    const { local } = await engine.openLeg(offer, listener);
    expect(local).toMatchObject({
      ssrc: 0x01010101,
      cname: "AgICAgICAgICAgIC",
      sessionId: String(0x03030303 >>> 1),
    });
  } finally {
    await engine.close();
  }
});
