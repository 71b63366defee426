import fc from "fast-check";
import { expect, test } from "vitest";
import { RFC5769_IPV4_RESPONSE, RFC5769_REQUEST } from "../../../../test/fixtures/stun/samples.ts";
import { writeUint16 } from "../bytes.ts";
import { isStunRequest, readLocalUfrag } from "./stun-demux.ts";
import { StunWriter } from "./stun-writer.ts";

function request(username: string): Uint8Array {
  const writer = new StunWriter();
  writer.begin("request", new Uint8Array(12));
  writer.priority(1);
  writer.username(Buffer.from(username));
  return writer.finish(null);
}

test("the receiver of a Binding request stands before the colon", () => {
  expect(readLocalUfrag(RFC5769_REQUEST)).toBe("evtj");
  expect(readLocalUfrag(request("a:b:c"))).toBe("a");
  expect(readLocalUfrag(request(`${"u".repeat(256)}:${"v".repeat(256)}`))).toBe("u".repeat(256));
});

test.each(["", "evtj", ":h6vY", `${"u".repeat(257)}:v`])("USERNAME %j names no receiver", (username) => {
  expect(readLocalUfrag(request(username))).toBeNull();
});

test("nothing but a whole Binding request is one", () => {
  expect(isStunRequest(RFC5769_REQUEST)).toBe(true);
  expect(isStunRequest(RFC5769_IPV4_RESPONSE)).toBe(false);
  expect(readLocalUfrag(RFC5769_IPV4_RESPONSE)).toBeNull();
  for (let length = 0; length < RFC5769_REQUEST.length; length += 1) {
    expect(isStunRequest(RFC5769_REQUEST.subarray(0, length))).toBe(false);
    expect(readLocalUfrag(RFC5769_REQUEST.subarray(0, length))).toBeNull();
  }
});

test("an attribute that ends behind the datagram ends the search", () => {
  const broken = Uint8Array.from(RFC5769_REQUEST);
  writeUint16(broken, 22, 0xffff);
  expect(readLocalUfrag(broken)).toBeNull();
});

test("any attributes are read without a throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (attributes) => {
      const datagram = Uint8Array.of(...RFC5769_REQUEST.subarray(0, 20), ...attributes);
      writeUint16(datagram, 2, attributes.length);
      const ufrag = readLocalUfrag(datagram);
      if (ufrag !== null) expect(ufrag.length).toBeGreaterThan(0);
    }),
  );
});
