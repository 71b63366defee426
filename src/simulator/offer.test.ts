import { expect, test } from "vitest";
import { readSdp } from "../../test/simulator/fixture.ts";
import { readAudioDescription } from "../core/sdp/index.ts";
import { systemRandom } from "../platform/random.ts";
import { buildOffer, type OfferForm } from "./offer.ts";

const candidate = {
  componentId: 1,
  transport: "udp",
  port: 3480,
  type: "host",
  foundation: "2275956755",
} as const;

function offer(form: OfferForm): string {
  return buildOffer({
    form,
    setup: "actpass",
    parameters: {
      iceUfrag: "NvPeRHRlBReaRYCZ",
      icePwd: "+219v9nKr3xSQIn8s+Fy8g==",
      sha256Fingerprint: Array.from({ length: 32 }, () => "A7").join(":"),
      candidates: [
        { ...candidate, priority: 2_122_260_223, address: "127.0.0.1" },
        { ...candidate, priority: 2_122_262_783, address: "::1" },
      ],
      ssrc: 613_016_344,
    },
    wallMs: 1_790_963_543_407,
    random: systemRandom,
  });
}

/** Replaces what differs from call to call, so that the form remains. */
function mask(sdp: string): readonly string[] {
  return sdp.split("\r\n").map((line) =>
    line
      .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID")
      .replace(/^o=- \d{13,19} /, "o=- SESSION ")
      .replace(/^m=audio \d+ /, "m=audio PORT ")
      .replace(/^c=IN IP4 [\d.]+$/, "c=IN IP4 ADDRESS")
      .replace(/^a=candidate:\d+ 1 udp \d+ \S+ \d+ /, "a=candidate:ADDRESS ")
      .replace(/^a=ice-ufrag:.+/, "a=ice-ufrag:UFRAG")
      .replace(/ ufrag .+/, " ufrag UFRAG")
      .replace(/^a=ice-pwd:.+/, "a=ice-pwd:PWD")
      .replace(/^a=fingerprint:sha-256 (?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/, "a=fingerprint:sha-256 HASH")
      .replace(/^a=ssrc:\d+ /, "a=ssrc:SSRC ")
      .replace(/cname:[A-Za-z0-9+/]{16}$/, "cname:NAME")
      .replace(/audio#\w{11}$/, "audio#TRACK"),
  );
}

test.each([
  ["current", "live-uic-offer-by-meta-20261002"],
  ["current", "live-uic-offer-by-meta-20251017"],
  ["old-stack", "live-uic-offer-by-meta-old-stack-40013"],
] as const)("an offer of the %s form matches %s line by line", (form, fixture) => {
  expect(mask(offer(form))).toEqual(mask(readSdp(fixture)));
});

test("an offer carries the phone's own parameters", () => {
  const description = readAudioDescription(offer("current"), { as: "offer" });
  expect(description).toMatchObject({
    mid: "audio",
    iceUfrag: "NvPeRHRlBReaRYCZ",
    icePwd: "+219v9nKr3xSQIn8s+Fy8g==",
    iceLite: true,
    setup: "actpass",
    ssrc: 613_016_344,
    telephoneEvent: { payloadType: 126 },
  });
  expect(description.opus.payloadType).toBe(111);
  expect(description.candidates.map(({ address }) => address)).toEqual(["127.0.0.1", "::1"]);
});

test("two offers share neither stream nor, in the old form, session id", () => {
  const [first, second] = [offer("old-stack"), offer("old-stack")].map((sdp) => sdp.split("\r\n"));
  expect(first?.[1]).not.toBe(second?.[1]);
  expect(first?.[5]).not.toBe(second?.[5]);
});
