import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  addCall,
  NUMBER_ID,
  newEvent,
  openApiRig,
  type StoreApiRig,
} from "../../../../test/support/api-rig.ts";
import { createId } from "../../../core/events/id.ts";
import { systemRandom } from "../../../platform/random.ts";
import type { RecordingRecord } from "../../../store/types.ts";
import { ManualClock } from "../../../testing/index.ts";

const CONTENT = Buffer.from(
  "OggS a recording of a hundred bytes or so, in which every byte tells where it is: 0123456789abcdef",
);
const SHA = createHash("sha256").update(CONTENT).digest("hex");

interface Recorded extends StoreApiRig {
  readonly folder: string;
  readonly id: string;
  readonly path: string;
}

async function openRecorded(
  change: Partial<RecordingRecord> = {},
  context: Parameters<typeof openApiRig>[0] = {},
): Promise<Recorded> {
  const folder = await mkdtemp(join(tmpdir(), "ringback-recordings-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "a.opus"), CONTENT);
  const rig = await openApiRig({ recordingsFolder: folder, ...context });
  const id = await addRecording(rig, change);
  return { ...rig, folder, id, path: `/v1/recordings/${id}/files/0` };
}

async function addRecording(
  rig: StoreApiRig,
  change: Partial<RecordingRecord> = {},
  state: "active" | "ended" = "ended",
): Promise<string> {
  const phoneNumberId = change.phoneNumberId ?? NUMBER_ID;
  const callId = await addCall(rig.store, { phoneNumberId, state });
  const now = Date.now();
  const recording: RecordingRecord = {
    id: createId("rec", now, systemRandom),
    callId,
    phoneNumberId,
    status: "completed",
    format: "opus",
    files: [{ path: "a.opus", channel: "both", bytes: CONTENT.length, sha256: SHA }],
    durationMs: 1_000,
    consent: { mode: "none", state: "not_asked", at: null },
    startedAt: now,
    endedAt: now,
    ...change,
  };
  await rig.store.calls.commit({
    callId,
    recordings: [recording],
    events: [newEvent("recording.completed")],
  });
  return recording.id;
}

async function codeOf(response: Response): Promise<[number, unknown]> {
  return [response.status, ((await response.json()) as { code: unknown }).code];
}

test("recordings are listed newest first, page by page, without saying where they are on the disk", async () => {
  const rig = await openRecorded();
  const second = await addRecording(rig);
  const third = await addRecording(rig, {
    files: [{ path: "/srv/own/place.opus", channel: "both", bytes: 1, sha256: SHA }],
  });
  const first = await rig.request("GET", "/v1/recordings?limit=2");
  const page = (await first.json()) as { items: { id: string; files: object[] }[]; next: string };
  expect(page.items.map(({ id }) => id)).toEqual([third, second]);
  expect(JSON.stringify(page)).not.toMatch(/a\.opus|srv/);
  const rest = (await (
    await rig.request("GET", `/v1/recordings?limit=2&cursor=${page.next}`)
  ).json()) as typeof page;
  expect(rest).toMatchObject({
    items: [{ id: rig.id, files: [{ index: 0, path: rig.path, sha256: SHA }] }],
    next: null,
  });
  expect(await codeOf(await rig.request("GET", "/v1/recordings?cursor=AAAA"))).toEqual([
    400,
    "invalid_cursor",
  ]);
});

test("a file comes whole, with its tag, and is not to be kept by anybody between", async () => {
  const rig = await openRecorded();
  const response = await rig.request("GET", rig.path);
  expect(response.status).toBe(200);
  expect(Buffer.from(await response.arrayBuffer()).equals(CONTENT)).toBe(true);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "audio/ogg",
    "content-length": String(CONTENT.length),
    etag: `"${SHA}"`,
    "accept-ranges": "bytes",
    "cache-control": "no-store",
    "content-disposition": `attachment; filename="${rig.id}-both.opus"`,
    "x-content-type-options": "nosniff",
  });
  expect((await rig.request("GET", rig.path, { headers: { "if-none-match": `"${SHA}"` } })).status).toBe(304);
});

test("HEAD has the same head, and no body", async () => {
  const rig = await openRecorded();
  const response = await rig.request("HEAD", rig.path);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-length")).toBe(String(CONTENT.length));
  expect(response.headers.get("etag")).toBe(`"${SHA}"`);
  expect((await response.arrayBuffer()).byteLength).toBe(0);
});

test("ranges are answered with their bytes, impossible ones with the size", async () => {
  const rig = await openRecorded();
  const size = CONTENT.length;
  const range = async (header: string, more = {}): Promise<Response> => {
    return rig.request("GET", rig.path, { headers: { range: header, ...more } });
  };
  for (const [header, begin, end] of [
    ["bytes=0-0", 0, 0],
    ["bytes=10-19", 10, 19],
    ["bytes=-5", size - 5, size - 1],
    ["bytes=50-", 50, size - 1],
    ["bytes=50-100000", 50, size - 1],
  ] as const) {
    const response = await range(header);
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe(`bytes ${begin}-${end}/${size}`);
    expect(response.headers.get("content-length")).toBe(String(end - begin + 1));
    expect(Buffer.from(await response.arrayBuffer()).equals(CONTENT.subarray(begin, end + 1))).toBe(true);
  }
  const beyond = await range(`bytes=${size}-`);
  expect(beyond.headers.get("content-range")).toBe(`bytes */${size}`);
  expect(await codeOf(beyond)).toEqual([416, "range_not_satisfiable"]);
  for (const ignored of ["bytes=0-1,4-5", "bytes=9-3", "lines=0-1"])
    expect((await range(ignored)).status).toBe(200);
  expect((await range("bytes=0-1", { "if-range": '"other"' })).status).toBe(200);
  expect((await range("bytes=0-1", { "if-range": `"${SHA}"` })).status).toBe(206);
});

test("paths out of the folder of recordings, links among them, are not followed, whatever the store says", async () => {
  const rig = await openRecorded();
  for (const path of ["../../etc/hostname", "../../../../../../../../etc/hostname", "."]) {
    const id = await addRecording(rig, { files: [{ path, channel: "both", bytes: 1, sha256: SHA }] });
    expect(await codeOf(await rig.request("GET", `/v1/recordings/${id}/files/0`))).toEqual([
      404,
      "not_found",
    ]);
  }
});

test("a file that is gone, or is not the one that was recorded, is not sent", async () => {
  const rig = await openRecorded();
  await writeFile(join(rig.folder, "a.opus"), "another one");
  expect(await codeOf(await rig.request("GET", rig.path))).toEqual([404, "not_found"]);
  await rm(join(rig.folder, "a.opus"));
  expect(await codeOf(await rig.request("GET", rig.path))).toEqual([404, "not_found"]);
  expect(await codeOf(await rig.request("GET", `/v1/recordings/${rig.id}/files/1`))).toEqual([
    404,
    "not_found",
  ]);
});

test("a signed URL needs no key, until it expires, and for its own file alone", async () => {
  const clock = new ManualClock();
  const rig = await openRecorded({}, { clock });
  const other = await addRecording(rig);
  const response = await rig.request("POST", `/v1/recordings/${rig.id}/url`, { body: { expires_in_s: 60 } });
  const { url, expires_at } = (await response.json()) as { url: string; expires_at: string };
  expect(Date.parse(expires_at)).toBeGreaterThan(clock.wallMs() + 59_000);
  const open = { key: null };
  const fetched = await rig.request("GET", url, { ...open, headers: { range: "bytes=0-3" } });
  expect([fetched.status, await fetched.text()]).toEqual([206, "OggS"]);
  expect((await rig.request("HEAD", url, open)).status).toBe(200);
  const query = url.slice(url.indexOf("?"));
  expect(await codeOf(await rig.request("GET", `/v1/recordings/${other}/files/0${query}`, open))).toEqual([
    403,
    "signature_invalid",
  ]);
  expect(await codeOf(await rig.request("GET", `${rig.path}${query.slice(0, -1)}`, open))).toEqual([
    403,
    "signature_invalid",
  ]);
  expect((await rig.request("GET", `${rig.path}${query}&x=1`, open)).status).toBe(400);
  expect(await codeOf(await rig.request("GET", rig.path, open))).toEqual([401, "key_missing"]);
  expect((await rig.request("DELETE", `/v1/recordings/${rig.id}${query}`, open)).status).toBe(401);
  clock.advance(61_000);
  expect(await codeOf(await rig.request("GET", url, open))).toEqual([403, "signature_expired"]);
});

test("every changed character of a signature is refused", async () => {
  const rig = await openRecorded({}, { limits: { perAddress: { burst: 10_000, perSecond: 10_000 } } });
  const response = await rig.request("POST", `/v1/recordings/${rig.id}/url`, { body: {} });
  const { url } = (await response.json()) as { url: string };
  const begin = url.indexOf("?");
  for (let index = begin + "?expires=".length; index < url.length; index += 1) {
    const character = url[index] === "A" ? "B" : "A";
    const changed = url.slice(0, index) + character + url.slice(index + 1);
    const { status } = await rig.request("GET", changed, { key: null });
    expect([400, 401, 403]).toContain(status);
  }
});

test("URLs are absolute where the gateway knows its address, and live an hour at most", async () => {
  const rig = await openRecorded({}, { publicUrl: "https://calls.example.com" });
  const ask = (body: object): Promise<Response> =>
    rig.request("POST", `/v1/recordings/${rig.id}/url`, { body });
  const { url } = (await (await ask({ expires_in_s: 3_600 })).json()) as { url: string };
  expect(url).toMatch(
    new RegExp(`^https://calls.example.com${rig.path}\\?expires=\\d+&signature=[\\w-]{43}$`),
  );
  expect((await ask({ expires_in_s: 3_601 })).status).toBe(400);
  expect((await ask({ index: 1 })).status).toBe(404);
});

test("deleting removes the file, then says so by an event and in the audit; once more changes nothing", async () => {
  const rig = await openRecorded();
  expect((await rig.request("DELETE", `/v1/recordings/${rig.id}`)).status).toBe(204);
  expect(await readdir(rig.folder)).toEqual([]);
  expect((await rig.request("DELETE", `/v1/recordings/${rig.id}`)).status).toBe(204);
  const types = (await rig.store.events.read({}, { after: 0, limit: 10 })).map(({ type }) => type);
  expect(types.filter((type) => type === "recording.deleted")).toHaveLength(1);
  const audit = await rig.store.audit.list({ limit: 10 });
  expect(audit.items.filter(({ action }) => action === "recording.deleted")).toMatchObject([
    { target: rig.id, actor: expect.stringMatching(/^key_/) },
  ]);
  expect(await codeOf(await rig.request("GET", rig.path))).toEqual([410, "recording_deleted"]);
  expect(await (await rig.request("GET", `/v1/recordings/${rig.id}`)).json()).toMatchObject({
    status: "deleted",
    files: [],
  });
});

test("what is still being made is neither sent nor deleted; what a crash has left can be deleted", async () => {
  const rig = await openRecorded({ status: "in-progress" });
  expect(await codeOf(await rig.request("GET", rig.path))).toEqual([409, "recording_not_ready"]);
  const live = await addRecording(rig, { status: "in-progress" }, "active");
  const refused = await rig.request("DELETE", `/v1/recordings/${live}`);
  expect(await codeOf(refused)).toEqual([409, "recording_not_ready"]);
  expect((await rig.request("DELETE", `/v1/recordings/${rig.id}`)).status).toBe(204);
});

test("a key of another number knows no recording of this one, and reading does not allow deleting", async () => {
  const rig = await openRecorded();
  const other = await rig.key({ phoneNumberId: "200000000000000" });
  const reader = await rig.key({ scopes: ["recordings:read"] });
  const base = `/v1/recordings/${rig.id}`;
  for (const [method, path] of [
    ["GET", base],
    ["GET", rig.path],
    ["POST", `${base}/url`],
    ["DELETE", base],
  ] as const) {
    expect(await codeOf(await rig.request(method, path, { key: other }))).toEqual([404, "not_found"]);
  }
  expect(
    ((await (await rig.request("GET", "/v1/recordings", { key: other })).json()) as { items: [] }).items,
  ).toEqual([]);
  expect(await codeOf(await rig.request("DELETE", base, { key: reader }))).toEqual([403, "scope_missing"]);
});
