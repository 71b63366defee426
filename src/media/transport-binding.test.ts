import { afterEach, describe, expect, test } from "vitest";
import { ipVersion } from "../core/sdp/ip-version.ts";
import type { UdpSocket } from "../platform/udp.ts";
import { type Binding, bindPort, bindPortOf, findBinding } from "./transport-binding.ts";

const callbacks = { onDatagram: () => {}, onError: () => {} };
const open: UdpSocket[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((socket) => socket.close()));
});

async function bind(binding: Binding, port = 0): Promise<readonly UdpSocket[]> {
  const sockets = await bindPort(binding, port, callbacks);
  open.push(...sockets);
  return sockets;
}

describe("an engine's sockets", () => {
  test("are on all interfaces by default, one per IP version, with the same port number", async () => {
    const binding = findBinding(undefined);
    const versions = new Set(binding.hostAddresses.map((address) => ipVersion(address)));
    expect(binding.socketAddresses).toHaveLength(Math.max(1, versions.size));
    const sockets = await bind(binding);
    expect(new Set(sockets.map((socket) => socket.port)).size).toBe(1);
    expect(new Set(sockets.map((socket) => socket.ipVersion))).toEqual(versions);
  });

  test("are on one interface when its address is given", () => {
    const only = { socketAddresses: ["127.0.0.1"], hostAddresses: ["127.0.0.1"] };
    expect(findBinding("127.0.0.1")).toEqual(only);
    expect(findBinding("0.0.0.0").socketAddresses).toEqual(["0.0.0.0"]);
  });

  test("take the first free port of a range", async () => {
    const binding = findBinding("127.0.0.1");
    const [taken] = await bind(binding);
    const begin = taken?.port ?? 0;
    const range = { begin, end: Math.min(begin + 20, 65_535) };
    const sockets = await bindPortOf(range, binding, callbacks);
    open.push(...sockets);
    expect(sockets[0]?.port).toBeGreaterThan(begin);
  });
});

describe("a port that cannot be had is told of with what to do:", () => {
  test("one that is taken", async () => {
    const binding = findBinding("127.0.0.1");
    const [taken] = await bind(binding);
    const port = taken?.port ?? 0;
    await expect(bindPort(binding, port, callbacks)).rejects.toMatchObject({
      code: "MEDIA_ENGINE_FAILED",
      message: expect.stringMatching(`UDP port ${port} on 127.0.0.1: EADDRINUSE. .*choose another port`),
      details: { engine: "transport", reason: "EADDRINUSE" },
    });
    await expect(bindPortOf({ begin: port, end: port }, binding, callbacks)).rejects.toMatchObject({
      message: expect.stringContaining(`extraPorts ${port}-${port} has no free port`),
    });
  });

  test("one of another machine", async () => {
    // RFC 5737: no machine has it.
    await expect(bindPort(findBinding("203.0.113.9"), 0, callbacks)).rejects.toMatchObject({
      message: expect.stringContaining("bindAddress must be an address of this machine"),
    });
  });
});
