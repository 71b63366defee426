import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { TransportAddress } from "../core/transport/address.ts";
import { UdpSocket } from "./udp.ts";

interface Endpoint {
  readonly socket: UdpSocket;
  readonly received: { readonly bytes: number[]; readonly address: string; readonly port: number }[];
  readonly errors: (readonly [string, TransportAddress | null])[];
}

const open: UdpSocket[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((socket) => socket.close()));
});

async function bind(address = "127.0.0.1", port = 0): Promise<Endpoint> {
  const received: Endpoint["received"] = [];
  const errors: Endpoint["errors"][number][] = [];
  const socket = await UdpSocket.bind({
    address,
    port,
    onDatagram: (datagram, from) =>
      received.push({ bytes: [...datagram], address: from.address, port: from.port }),
    onError: (code, to) => errors.push([code, to]),
  });
  open.push(socket);
  return { socket, received, errors };
}

const hasIpv6 = Object.values(networkInterfaces()).some((infos) =>
  infos?.some((info) => info.address === "::1"),
);

describe("a UDP socket", () => {
  test("sends lent memory and copies, and tells where a datagram comes from", async () => {
    const a = await bind();
    const b = await bind();
    const toB = { address: "127.0.0.1", port: b.socket.port };
    const lent = a.socket.lend();
    lent?.set([1, 2, 3, 4]);
    expect(a.socket.sendLent(3, toB)).toBe(true);
    const bytes = Uint8Array.of(5, 6);
    expect(a.socket.send(bytes, toB)).toBe(true);
    bytes.fill(0);
    await vi.waitFor(() => expect(b.received).toHaveLength(2));
    const from = { address: "127.0.0.1", port: a.socket.port };
    expect(b.received).toEqual([
      { bytes: [1, 2, 3], ...from },
      { bytes: [5, 6], ...from },
    ]);
    expect(a.socket.stats).toEqual({ received: 0, sent: 2, dropped: 0, failed: 0 });
    expect(b.socket.stats.received).toBe(2);
  });

  test.runIf(hasIpv6)("of IPv6 leaves the port number to one of IPv4", async () => {
    const sixth = await bind("::");
    const fourth = await bind("0.0.0.0", sixth.socket.port);
    expect(fourth.socket.port).toBe(sixth.socket.port);
    const sender = await bind("::1");
    sender.socket.send(Uint8Array.of(9), { address: "::1", port: sixth.socket.port });
    await vi.waitFor(() => expect(sixth.received).toHaveLength(1));
    expect(sixth.received[0]?.address).toBe("::1");
    expect(fourth.received).toHaveLength(0);
  });

  test("that cannot be bound says why", async () => {
    const { socket } = await bind();
    await expect(bind("127.0.0.1", socket.port)).rejects.toMatchObject({ code: "EADDRINUSE" });
    // RFC 5737: no machine has it.
    await expect(bind("203.0.113.9")).rejects.toMatchObject({ code: "EADDRNOTAVAIL" });
  });

  test("counts and tells what the system refuses, and goes on", async () => {
    const { socket, errors } = await bind();
    // Broadcasting is not allowed without being asked for.
    socket.send(Uint8Array.of(1), { address: "255.255.255.255", port: 9 });
    await vi.waitFor(() => expect(errors).toHaveLength(1));
    expect(errors[0]).toEqual([expect.stringMatching(/^E[A-Z]+$/), { address: "255.255.255.255", port: 9 }]);
    expect(socket.send(Uint8Array.of(1), { address: "127.0.0.1", port: 0 })).toBe(false);
    expect(socket.send(new Uint8Array(3000), { address: "127.0.0.1", port: socket.port })).toBe(false);
    expect(socket.stats).toMatchObject({ failed: 3, dropped: 0 });
    expect(socket.send(Uint8Array.of(1), { address: "127.0.0.1", port: socket.port })).toBe(true);
  });

  test("that is closed sends nothing and may be closed again", async () => {
    const { socket } = await bind();
    const { port } = socket;
    await socket.close();
    await socket.close();
    expect(socket.lend()).toBeNull();
    expect(socket.sendLent(1, { address: "127.0.0.1", port })).toBe(false);
    expect(socket.send(Uint8Array.of(1), { address: "127.0.0.1", port })).toBe(false);
    await bind("127.0.0.1", port);
  });
});

/** Sends 200 datagrams of one value each in one go, and prints what arrived. */
const CONGESTED = `
  import { UdpSocket } from "./udp.mjs";
  const received = [];
  const sink = await UdpSocket.bind({ address: "127.0.0.1", port: 0, onError() {},
    onDatagram: (datagram) => received.push([...new Set(datagram)]) });
  const socket = await UdpSocket.bind({ address: "127.0.0.1", port: 0, onError() {}, onDatagram() {} });
  const to = { address: "127.0.0.1", port: sink.port };
  let sent = 0;
  const burst = () => { for (let i = 0; i < 200; i += 1) if (socket.send(new Uint8Array(100).fill(i), to)) sent += 1; };
  const arrive = async () => { while (received.length < sent) await new Promise(setImmediate); };
  burst();
  await arrive();
  const first = { sent, dropped: socket.stats.dropped, received: [...received] };
  burst();
  await arrive();
  console.log(JSON.stringify({ first, sent, dropped: socket.stats.dropped }));
  await Promise.all([socket.close(), sink.close()]);
`;

test("a datagram that waits for the kernel is never overwritten, and too many are dropped and counted", () => {
  const folder = mkdtempSync(join(tmpdir(), "ringback-udp-"));
  try {
    const source = readFileSync(new URL("./udp.ts", import.meta.url), "utf8");
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
    writeFileSync(
      join(folder, "udp.mjs"),
      ts.transpileModule(source, { compilerOptions: options }).outputText,
    );
    writeFileSync(join(folder, "program.mjs"), CONGESTED);
    // Node's own switch for this: it then never tries to send at once.
    const args = ["--test-udp-no-try-send", "program.mjs"];
    const printed = execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8", timeout: 10_000 });
    const taken = Array.from({ length: 64 }, (_, i) => [i]);
    expect(JSON.parse(printed)).toEqual({
      first: { sent: 64, dropped: 136, received: taken },
      sent: 128,
      dropped: 272,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
