import { describe, expect, test } from "vitest";
import { UnrulyPeer } from "../../../../test/support/dtls-peer.ts";
import { AlertDescription, AlertLevel } from "./alert.ts";
import { buildMessage, HandshakeType } from "./handshake-message.ts";
import { ContentType } from "./record.ts";

const EMPTY = new Uint8Array(0);

describe.each(["client", "server"] as const)("a peer who is the %s", (role) => {
  const expectAlive = (peer: UnrulyPeer) => {
    expect(peer.endpoint.ends).toEqual([]);
    peer.send(1, ContentType.applicationData, Buffer.from("alive"));
    expect(peer.endpoint.data.at(-1)).toBe("alive");
  };

  test("and keeps to the rules connects", () => {
    const peer = UnrulyPeer.connect(role);
    expect(peer.endpoint.results).toHaveLength(1);
    expectAlive(peer);
  });

  test("wants to renegotiate: it is told no, once per wish, and the association goes on", () => {
    const peer = UnrulyPeer.connect(role);
    const type = role === "client" ? HandshakeType.clientHello : HandshakeType.helloRequest;
    const before = peer.heard.length;
    for (let wish = 0; wish < 3; wish++) {
      peer.send(
        1,
        ContentType.handshake,
        buildMessage(type, wish, type === HandshakeType.helloRequest ? EMPTY : new Uint8Array(40)),
      );
    }
    const no = Uint8Array.of(AlertLevel.warning, AlertDescription.noRenegotiation);
    expect(peer.heard.slice(before).map(({ plaintext }) => Uint8Array.from(plaintext))).toEqual([no, no, no]);
    expectAlive(peer);
  });

  test("says in plaintext that it goes: once connected that is anybody's word", () => {
    const peer = UnrulyPeer.connect(role);
    peer.send(0, ContentType.alert, Uint8Array.of(AlertLevel.warning, AlertDescription.closeNotify));
    peer.send(0, ContentType.alert, Uint8Array.of(AlertLevel.fatal, AlertDescription.handshakeFailure));
    peer.send(0, ContentType.applicationData, Buffer.from("plain"));
    expect(peer.endpoint.data).toEqual([]);
    expectAlive(peer);
  });

  test("gives a fatal alert under the keys: the association ends", () => {
    const peer = UnrulyPeer.connect(role);
    peer.send(1, ContentType.alert, Uint8Array.of(AlertLevel.fatal, AlertDescription.decryptError));
    expect(peer.endpoint.ends).toEqual(["peer-alert"]);
    peer.send(1, ContentType.applicationData, Buffer.from("late"));
    expect(peer.endpoint.data).toEqual([]);
  });

  test("gives warnings, malformed alerts and what else has no meaning: nothing comes of it", () => {
    const peer = UnrulyPeer.connect(role);
    const { association } = peer.endpoint;
    peer.send(1, ContentType.alert, Uint8Array.of(AlertLevel.warning, 90)); // user_canceled
    const before = association.stats.recordsDropped;
    peer.send(1, ContentType.alert, Uint8Array.of(3, 0));
    peer.send(1, ContentType.alert, Uint8Array.of(AlertLevel.fatal));
    peer.send(1, 24, Uint8Array.of(1, 0, 0)); // A heartbeat, RFC 6520.
    peer.send(1, ContentType.changeCipherSpec, Uint8Array.of(2));
    peer.send(1, ContentType.handshake, Uint8Array.of(20));
    expect(association.stats.recordsDropped - before).toBe(5);
    expectAlive(peer);
  });

  test("sends empty application data", () => {
    const peer = UnrulyPeer.connect(role);
    peer.send(1, ContentType.applicationData, EMPTY);
    expect(peer.endpoint.data).toEqual([""]);
  });

  test("repeats a record: it counts once", () => {
    const peer = UnrulyPeer.connect(role);
    const record = peer.records.seal(1, ContentType.applicationData, Buffer.from("once"));
    peer.deliver(record ?? EMPTY);
    peer.deliver(record ?? EMPTY);
    expect(peer.endpoint.data).toEqual(["once"]);
  });

  test("leaves the ChangeCipherSpec out: the epoch of its Finished says as much", () => {
    const peer = new UnrulyPeer(role);
    peer.onFlight = (flight) =>
      peer.sendFlight(flight.filter(({ contentType }) => contentType !== ContentType.changeCipherSpec));
    peer.start();
    expect(peer.endpoint.results).toHaveLength(1);
    expectAlive(peer);
  });

  test("sends its Finished in plaintext: it is not taken", () => {
    const peer = new UnrulyPeer(role);
    peer.onFlight = (flight) => peer.sendFlight(flight.map((item) => ({ ...item, epoch: 0 })));
    peer.start();
    expect(peer.endpoint.results).toEqual([]);
    expect(peer.endpoint.ends).toEqual([]);
  });

  test("sends a wrong Finished: the handshake fails, and it is told", () => {
    const peer = new UnrulyPeer(role);
    peer.onFlight = (flight) =>
      peer.sendFlight(
        flight.map((item) => {
          const bytes = Uint8Array.from(item.bytes);
          if (item.epoch === 1) bytes[12] = (bytes[12] ?? 0) ^ 1;
          return { ...item, bytes };
        }),
      );
    peer.start();
    expect(peer.endpoint.results).toEqual([]);
    expect(peer.endpoint.ends).toEqual(["protocol-error"]);
    const alert = peer.heard.at(-1);
    expect(alert?.contentType).toBe(ContentType.alert);
    expect([...(alert?.plaintext ?? [])]).toEqual([AlertLevel.fatal, AlertDescription.decryptError]);
  });

  test("sends application data before its Finished: it is dropped", () => {
    const peer = new UnrulyPeer(role);
    peer.onFlight = (flight) => {
      for (const item of flight) {
        if (item.epoch === 1) peer.send(1, ContentType.applicationData, Buffer.from("early"));
        peer.sendFlight([item]);
      }
    };
    peer.start();
    expect(peer.endpoint.data).toEqual([]);
    expectAlive(peer);
  });
});

test("a client that leaves its CertificateVerify out is refused", () => {
  const peer = new UnrulyPeer("client");
  peer.onFlight = (flight) => {
    let skipped = 0;
    for (const item of flight) {
      if (item.bytes[0] === HandshakeType.certificateVerify) {
        skipped = 1;
        continue;
      }
      const bytes = Uint8Array.from(item.bytes);
      if (item.contentType === ContentType.handshake) bytes[5] = (bytes[5] ?? 0) - skipped;
      peer.sendFlight([{ ...item, bytes }]);
    }
  };
  peer.start();
  expect(peer.endpoint.ends).toEqual(["protocol-error"]);
  expect([...(peer.heard.at(-1)?.plaintext ?? [])]).toEqual([
    AlertLevel.fatal,
    AlertDescription.unexpectedMessage,
  ]);
});

test("a client's Finished that overtakes the rest of its flight waits for it", () => {
  const peer = new UnrulyPeer("client");
  peer.onFlight = (flight) => {
    const finished = flight.filter(({ epoch }) => epoch === 1);
    peer.sendFlight([...finished, ...flight.filter(({ epoch }) => epoch === 0)]);
  };
  peer.start();
  expect(peer.endpoint.results).toHaveLength(1);
});

test("of records that come before their keys a few are kept, and the Finished of a later flight is taken", () => {
  const peer = new UnrulyPeer("client");
  peer.onFlight = (flight) => {
    if (flight.length === 0) return;
    for (const junk of [1, 2, 3, 4, 5, 6]) {
      const early = Uint8Array.of(22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, junk, 0, 40, ...new Uint8Array(40));
      peer.deliver(early);
    }
    peer.sendFlight(flight);
    peer.nowMs += 100;
  };
  peer.start();
  expect(peer.endpoint.results).toHaveLength(1);
  expect(peer.endpoint.association.stats.recordsDropped).toBe(12); // Six before each of its two flights.
});
