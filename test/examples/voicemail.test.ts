import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { voicemail } from "../../examples/voicemail.ts";
import type { FlowEvent } from "../../src/index.ts";
import { until } from "../integration/fixture.ts";
import { hangUpAt, press, startExample, toneAt, tonesHeard } from "./example-rig.ts";
import { expectMessage, missingTools, onlyFile, readRecording, sayFile } from "./recorded-file.ts";

vi.setConfig({ testTimeout: 60_000 });
vi.spyOn(console, "log").mockImplementation(() => {});

const SPEECH = fileURLToPath(new URL("../fixtures/audio/speech-parcel.ogg", import.meta.url));
const [GREETING_HZ, BEEP_HZ, THANKS_HZ] = [440, 1_000, 800];
const ALL_HZ = [GREETING_HZ, BEEP_HZ, THANKS_HZ];

const missing = missingTools();
if (missing !== null) console.warn(`skipped: what the voicemail posts: ${missing} not installed`);

interface Posted {
  readonly event: FlowEvent;
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** The server of whoever reads the messages. */
async function startMailServer() {
  const posts: Posted[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then(async (body) => {
      const headers = { "content-type": request.headers["content-type"] ?? "" };
      const form = await new Response(new Uint8Array(body), { headers }).formData();
      const event = form.get("event");
      const files = form.getAll("file").filter((part) => typeof part !== "string");
      posts.push({
        event: JSON.parse(typeof event === "string" ? event : ((await event?.text()) ?? "")) as FlowEvent,
        files: await Promise.all(
          files.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })),
        ),
      });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    posts,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/voicemail`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const ALLOWED = { requests: { allowHttp: true, allowedHosts: ["127.0.0.1"] } };

function expectPosted({ event, files }: Posted, folder: string): void {
  const { recording } = event.step ?? {};
  expect(files).toHaveLength(1);
  expect(recording).toMatchObject({ status: "completed", consent: { mode: "announce", state: "announced" } });
  expect(recording?.files[0]?.name).toBe(files[0]?.name);
  expect(recording?.files[0]?.sha256).toBe(
    createHash("sha256")
      .update(files[0]?.bytes ?? "")
      .digest("hex"),
  );
  expect(Buffer.compare(files[0]?.bytes ?? Buffer.of(), readFileSync(onlyFile(folder)))).toBe(0);
}

test.skipIf(missing !== null)(
  "a message that a key ends is posted, and is what the caller said",
  async () => {
    await using mail = await startMailServer();
    await using rig = await startExample((options) => voicemail(options, mail.url), ALLOWED);
    const phone = await rig.dial();
    await toneAt(phone, BEEP_HZ);
    await phone.hears({ type: "quiet", forMs: 100 });
    const said = await sayFile(phone, SPEECH);
    await press(phone, "#", THANKS_HZ);
    const report = await phone.ended;
    expect(tonesHeard(phone, ALL_HZ)).toEqual([GREETING_HZ, BEEP_HZ, THANKS_HZ]);
    expect(report.endedBy).toBe("business");
    await until(() => mail.posts.length === 1);
    const [posted] = mail.posts as [Posted];
    expectPosted(posted, rig.folder);
    expect(posted.event.step).toMatchObject({ outcome: "completed", recording: { endedBy: "finish-key" } });
    expect(posted.event.call.caller.phoneNumber).toBe("15550001000");
    expectMessage(await readRecording(onlyFile(rig.folder)), said());
    // What was posted is a file that others read, too.
    const copy = join(rig.folder, "posted.opus");
    writeFileSync(copy, posted.files[0]?.bytes ?? "");
    expectMessage(await readRecording(copy), said());
    expect(rig.complaints).toEqual([]);
  },
);

test.skipIf(missing !== null)("a message is posted also when the caller just hangs up", async () => {
  await using mail = await startMailServer();
  await using rig = await startExample((options) => voicemail(options, mail.url), ALLOWED);
  const phone = await rig.dial();
  await toneAt(phone, BEEP_HZ);
  await phone.hears({ type: "quiet", forMs: 100 });
  const said = await sayFile(phone, SPEECH);
  phone.hangUp();
  expect((await phone.ended).endedBy).toBe("caller");
  await until(() => mail.posts.length === 1);
  const [posted] = mail.posts as [Posted];
  expectPosted(posted, rig.folder);
  expect(posted.event.step?.recording?.endedBy).toBe("call-ended");
  expectMessage(await readRecording(onlyFile(rig.folder)), said());
  expect(rig.complaints).toEqual([]);
});

test("a caller who has no more to say need press nothing", async () => {
  await using mail = await startMailServer();
  await using rig = await startExample((options) => voicemail(options, mail.url), ALLOWED);
  const phone = await rig.dial();
  await toneAt(phone, BEEP_HZ);
  await phone.say({ file: SPEECH });
  expect(await toneAt(phone, THANKS_HZ)).not.toBeNull();
  await phone.ended;
  await until(() => mail.posts.length === 1);
  expect(mail.posts[0]?.event.step?.recording).toMatchObject({ status: "completed", endedBy: "silence" });
  expect(rig.complaints).toEqual([]);
});

test("a server inside is not posted to without permission: the message stays where it is", async () => {
  await using mail = await startMailServer();
  await using rig = await startExample((options) => voicemail(options, mail.url));
  const phone = await rig.dial();
  await toneAt(phone, BEEP_HZ);
  await phone.say({ tone: { frequencyHz: 600, durationMs: 500 } });
  await press(phone, "#", THANKS_HZ);
  await phone.ended;
  await until(() => rig.complaints.length > 0);
  expect(rig.complaints[0]).toContain("a recording was not posted: its files are where they were");
  expect(mail.posts).toEqual([]);
  expect(readdirSync(rig.folder)).toHaveLength(1);
});

test("a caller may hang up when greeted, at the beep, and when thanked", async () => {
  await using mail = await startMailServer();
  await using rig = await startExample((options) => voicemail(options, mail.url), ALLOWED);
  await hangUpAt(rig, [
    (phone) => toneAt(phone, GREETING_HZ),
    (phone) => toneAt(phone, BEEP_HZ),
    async (phone) => {
      await toneAt(phone, BEEP_HZ);
      await phone.hears({ type: "quiet", forMs: 100 });
      await press(phone, "#", THANKS_HZ);
    },
  ]);
  // Each is told of, with or without a file.
  await until(() => mail.posts.length === 3);
  expect(mail.posts.map(({ event }) => event.step?.outcome)).toContain("absent");
});
