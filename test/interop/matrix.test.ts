import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { DtlsSetup } from "../../src/core/sdp/index.ts";
import type { DtlsRole } from "../../src/core/transport/dtls/dtls-association.ts";
import { AnsweringCall } from "./answering-call.ts";
import { CHROMIUM, CHROMIUM_RSA } from "./chromium-peer.ts";
import { DATACHANNEL } from "./datachannel-peer.ts";
import type { Caller, InteropPeer } from "./peer.ts";
import { AIORTC, GSTREAMER } from "./script-peers.ts";
import { measurePackets, OUR_TONE, PEER_TONE, type Tone, writeToneFile } from "./tone.ts";
import { WERIFT } from "./werift-peer.ts";

const PEERS: readonly InteropPeer[] = [CHROMIUM, CHROMIUM_RSA, GSTREAMER, AIORTC, DATACHANNEL, WERIFT];

/** Ours, by what the offer says. */
const ROLES: readonly { readonly role: DtlsRole; readonly offeredSetup: DtlsSetup }[] = [
  { role: "client", offeredSetup: "actpass" },
  { role: "server", offeredSetup: "active" },
];

const PACKETS_OF_TWO_SECONDS = 100;
const KEYS = "14*#";

for (const peer of PEERS) {
  if (peer.missing !== null) console.warn(`skipped: ${peer.name}: ${peer.missing}`);

  // A peer that a busy machine holds up counts packets as lost, or hears a tone with holes.
  describe.skipIf(peer.missing !== null)(peer.name, { retry: 2, timeout: 60_000 }, () => {
    for (const { role, offeredSetup } of ROLES) {
      test(`hears us and is heard, with us as DTLS ${role}`, async () => {
        await using caller = await peer.call();
        await using call = await AnsweringCall.open(caller.offer, toneFile(), {
          offeredSetup,
          ...(peer.address === undefined ? {} : { bindAddress: peer.address }),
        });
        expect(call.answer).toContain(`a=setup:${role === "client" ? "active" : "passive"}`);
        await caller.take(call.answer);
        call.connect();

        await vi.waitFor(
          async () => {
            expectTone(await caller.heard(), OUR_TONE);
            expectTone(await measurePackets(call.packets), PEER_TONE);
            expect(call.packets.length).toBeGreaterThan(PACKETS_OF_TWO_SECONDS);
          },
          { timeout: 30_000, interval: 200 },
        );
        await pressKeys(caller, call);

        expect(call.srtpProfile).toBe(peer.srtpProfiles[role]);
        expect((await caller.heard()).packetsLost ?? 0).toBe(0);
        expect(call.stats().received).toMatchObject({ packetsLost: 0, ssrcChanges: 0 });
      });
    }
  });
}

function toneFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "ringback-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return writeToneFile(join(folder, "tone.wav"), OUR_TONE);
}

/** Opus keeps a tone's height exactly and its level nearly. */
function expectTone(actual: Tone, expected: Tone): void {
  expect(Math.abs(actual.hz - expected.hz)).toBeLessThan(10);
  expect(Math.abs(20 * Math.log10(actual.level / expected.level))).toBeLessThan(1.5);
}

async function pressKeys(caller: Caller, call: AnsweringCall): Promise<void> {
  if (caller.press === null) return;
  await caller.press(KEYS);
  await vi.waitFor(() => expect(call.digits).toHaveLength(KEYS.length), { timeout: 10_000 });
  expect(call.digits.map(({ digit }) => digit).join("")).toBe(KEYS);
  for (const { durationMs } of call.digits) expect(durationMs).toBeGreaterThanOrEqual(100);
}
