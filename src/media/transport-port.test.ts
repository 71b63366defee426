import { afterEach, describe, expect, test, vi } from "vitest";
import type { TransportAddress } from "../core/transport/address.ts";
import { StunWriter } from "../core/transport/stun/stun-writer.ts";
import { UdpSocket } from "../platform/udp.ts";
import { bindPort, findBinding } from "./transport-binding.ts";
import { type PortLease, TransportPort } from "./transport-port.ts";

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function openPort(onEmpty: () => void = () => {}): Promise<TransportPort> {
  const port = await TransportPort.open({
    bind: (callbacks) => bindPort(findBinding("127.0.0.1"), 0, callbacks),
    onError: () => {},
    onEmpty,
  });
  closers.push(() => port.close());
  return port;
}

async function openPeer(): Promise<UdpSocket> {
  const peer = await UdpSocket.bind({
    address: "127.0.0.1",
    port: 0,
    onDatagram: () => {},
    onError: () => {},
  });
  closers.push(() => peer.close());
  return peer;
}

/** What a lease's receiver got, as first bytes. */
function record(lease: PortLease | null): number[] {
  const received: number[] = [];
  if (lease !== null) {
    lease.receiver = { receive: (datagram) => received.push(datagram[0] ?? -1), onSendFailed: () => {} };
  }
  return received;
}

function bindingRequest(localUfrag: string): Uint8Array {
  const writer = new StunWriter();
  writer.begin("request", new Uint8Array(12));
  writer.username(Buffer.from(`${localUfrag}:peer`));
  writer.priority(1);
  return writer.finish(null);
}

const at = (socket: UdpSocket) => ({ address: "127.0.0.1", port: socket.port });

describe("on one port", () => {
  test("a datagram goes to the leg that its sender's address belongs to", async () => {
    const port = await openPort();
    const [first, second, stranger] = [await openPeer(), await openPeer(), await openPeer()];
    const toFirst = record(port.lease("a", [at(first)]));
    const toSecond = record(port.lease("b", [at(second)]));
    const to = { address: "127.0.0.1", port: port.number };
    first.send(Uint8Array.of(128), to);
    second.send(Uint8Array.of(129), to);
    stranger.send(Uint8Array.of(130), to);
    await vi.waitFor(() => expect(port.stats().received).toBe(3));
    expect([toFirst, toSecond]).toEqual([[128], [129]]);
    expect(port.stats().unknownSenders).toBe(1);
  });

  test("a check goes to the leg that it names, wherever it comes from", async () => {
    const port = await openPort();
    const [peer, stranger] = [await openPeer(), await openPeer()];
    const toA = record(port.lease("a", [at(peer)]));
    const toB = record(port.lease("b", []));
    const to = { address: "127.0.0.1", port: port.number };
    stranger.send(bindingRequest("b"), to);
    peer.send(bindingRequest("b"), to);
    peer.send(bindingRequest("c"), to);
    await vi.waitFor(() => expect(port.stats().received).toBe(3));
    expect([toA, toB]).toEqual([[], [0, 0]]);
    expect(port.stats().unknownSenders).toBe(1);
  });

  test("an address belongs to the leg that claimed it first, until it gives it back", async () => {
    const port = await openPort();
    const relay = { address: "31.13.65.130", port: 3480 };
    const first = port.lease("a", [relay]);
    expect(port.lease("b", [{ address: "31.13.65.131", port: 3480 }, relay])).toBeNull();
    const other = port.lease("b", [{ address: "31.13.65.131", port: 3480 }]);
    expect(other?.claim(relay)).toBe(false);
    expect(first?.claim(relay)).toBe(true);
    first?.release();
    expect(first?.claim(relay)).toBe(false);
    expect(other?.claim(relay)).toBe(true);
  });

  test("all addresses are claimed, or none", async () => {
    const port = await openPort();
    const relays = [3478, 3480].map((number) => ({ address: "31.13.65.130", port: number }));
    port.lease("a", relays.slice(1));
    const lease = port.lease("b", []);
    expect(lease === null ? null : port.claimAll(lease, relays)).toBe(false);
    expect(port.lease("c", relays.slice(0, 1))).not.toBeNull();
  });

  test("an address that the peer has left can be another's, but for its candidates", async () => {
    const port = await openPort();
    const candidate = { address: "31.13.65.130", port: 3480 };
    const later = { address: "192.0.2.7", port: 40_000 };
    const lease = port.lease("a", [candidate]);
    lease?.claim(later);
    lease?.forget(candidate);
    lease?.forget({ address: "192.0.2.8", port: 40_000 });
    expect(port.lease("b", [later])).toBeNull();
    lease?.forget(later);
    expect(port.lease("b", [later])).not.toBeNull();
    expect(port.lease("c", [candidate])).toBeNull();
  });

  test("what the system refuses to send is told to the leg whose peer it was for", async () => {
    const codes: string[] = [];
    const port = await TransportPort.open({
      bind: (callbacks) => bindPort(findBinding("127.0.0.1"), 0, callbacks),
      onError: (code) => codes.push(code),
      onEmpty: () => {},
    });
    closers.push(() => port.close());
    // From a loopback address there is no way to another machine's.
    const [relay, other] = [7, 8].map((last) => ({ address: `192.0.2.${last}`, port: 3480 }));
    if (relay === undefined || other === undefined) throw new Error("no addresses");
    const failed: TransportAddress[] = [];
    const lease = port.lease("a", [relay]);
    if (lease !== null) lease.receiver = { receive: () => {}, onSendFailed: (to) => failed.push(to) };
    for (const to of [relay, other]) port.socketTo(to)?.send(Uint8Array.of(0), to);
    await vi.waitFor(() => expect(codes).toHaveLength(2));
    expect(failed).toEqual([relay]);
    expect(port.stats().sendsFailed).toBe(2);
  });

  test("no leg claims more addresses than a peer can have", async () => {
    const port = await openPort();
    const lease = port.lease("a", []);
    const claims = Array.from({ length: 100 }, (_, i) => lease?.claim({ address: "192.0.2.1", port: 1 + i }));
    expect(claims.filter((isClaimed) => isClaimed)).toHaveLength(64);
  });

  test("what comes for a leg that is gone is nobody's, and the last to go is told of once", async () => {
    const onEmpty = vi.fn();
    const port = await openPort(onEmpty);
    const peer = await openPeer();
    const lease = port.lease("a", [at(peer)]);
    const other = port.lease("b", []);
    const received = record(lease);
    lease?.release();
    lease?.release();
    expect(onEmpty).not.toHaveBeenCalled();
    other?.release();
    expect(onEmpty).toHaveBeenCalledTimes(1);
    peer.send(Uint8Array.of(128), { address: "127.0.0.1", port: port.number });
    await vi.waitFor(() => expect(port.stats().unknownSenders).toBe(1));
    expect(received).toEqual([]);
  });
});
