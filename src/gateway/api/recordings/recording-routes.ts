import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { DEFAULT_URL_LIFE_MS, MAX_URL_LIFE_MS } from "../../../core/security/signed-url.ts";
import type { ApiKeyRecord, RecordingFileRecord, RecordingRecord } from "../../../store/types.ts";
import { deleteRecording, openRecordingFile } from "../../retention/recording-files.ts";
import type { ApiContext } from "../context.ts";
import { InstanceKeys } from "../cursors/instance-keys.ts";
import { isOfKey, narrowToKey } from "../cursors/own-number.ts";
import { requireCursor } from "../cursors/read-cursor.ts";
import { pageCursor, pageLimit, pageOf } from "../pages.ts";
import { ApiProblem } from "../problems.ts";
import { defineRoute, type RouteDefinition } from "../route.ts";
import { filePath, recordingSchema, toRecordingResource } from "./recording-resource.ts";
import { sendFile } from "./send-file.ts";
import { SignedAccess } from "./signed-access.ts";

const TAG = "Recordings";
/** `both` of a stereo file, or one of each side. */
const MAX_FILE_INDEX = 9;

const recordingId = z.string().max(100);
const idParams = z.object({ id: recordingId });
const fileParams = z.object({ id: recordingId, index: z.coerce.number().int().min(0).max(MAX_FILE_INDEX) });

export function recordingRoutes(context: ApiContext): readonly RouteDefinition[] {
  const keys = new InstanceKeys(context.store);
  const access = new SignedAccess(keys, context.clock, context.publicUrl);
  return [
    listRecordings(context, keys),
    getRecording(context),
    fileRoute(context, access, "GET"),
    fileRoute(context, access, "HEAD"),
    signRecording(context, access),
    removeRecording(context),
  ];
}

function listRecordings({ store }: ApiContext, keys: InstanceKeys): RouteDefinition {
  const query: z.ZodType<{
    call_id?: string | undefined;
    phone_number_id?: string | undefined;
    cursor?: string | undefined;
    limit: number;
  }> = z.strictObject({
    call_id: z.string().max(100).optional().describe("Recordings of this call only."),
    phone_number_id: z.string().max(32).optional().describe("Recordings of this business number only."),
    cursor: pageCursor,
    limit: pageLimit,
  });
  return defineRoute({
    method: "GET",
    path: "/v1/recordings",
    operationId: "listRecordings",
    tag: TAG,
    summary: "List recordings",
    description: "Newest first.",
    access: "recordings:read",
    query,
    responses: { 200: { description: "A page of recordings.", schema: pageOf(recordingSchema) } },
    problems: ["invalid_cursor"],
    handle: async ({ key, query: { call_id, phone_number_id, cursor, limit } }) => {
      const cursors = await keys.cursors();
      const number = narrowToKey(key, phone_number_id);
      const filter = {
        ...(call_id !== undefined && { callId: call_id }),
        ...(number !== undefined && { phoneNumberId: number }),
      };
      const after = cursor === undefined ? null : requireCursor(cursors.readText("recordings", cursor));
      const { items, next } = await store.recordings.list(filter, {
        limit,
        ...(after !== null && { after }),
      });
      const following = next === null ? null : cursors.write("recordings", String(next));
      return { status: 200, body: { items: items.map(toRecordingResource), next: following } };
    },
  });
}

function getRecording(context: ApiContext): RouteDefinition {
  return defineRoute({
    method: "GET",
    path: "/v1/recordings/{id}",
    operationId: "getRecording",
    tag: TAG,
    summary: "Fetch what is known of a recording",
    access: "recordings:read",
    params: idParams,
    responses: { 200: { description: "The recording.", schema: recordingSchema } },
    problems: ["not_found"],
    handle: async ({ key, params }) => {
      return { status: 200, body: toRecordingResource(await find(context, params.id, key)) };
    },
  });
}

function fileRoute(context: ApiContext, access: SignedAccess, method: "GET" | "HEAD"): RouteDefinition {
  const query: z.ZodType<{ expires?: string | undefined; signature?: string | undefined }> = z.strictObject({
    expires: z.string().max(20).optional().describe("Of a signed URL."),
    signature: z.string().max(100).optional().describe("Of a signed URL."),
  });
  return defineRoute({
    method,
    path: "/v1/recordings/{id}/files/{index}",
    operationId: method === "GET" ? "getRecordingFile" : "headRecordingFile",
    tag: TAG,
    summary: method === "GET" ? "Fetch a file of a recording" : "Ask for the size and the tag of a file",
    description: "`Range` asks for a part of it, one range at a time. A signed URL needs no key.",
    access: "recordings:read",
    params: fileParams,
    query,
    responses: {
      200: { description: "The file.", contentType: "audio/ogg" },
      206: { description: "The part of it that was asked for.", contentType: "audio/ogg" },
      304: { description: "It is the one that you have (`If-None-Match`)." },
    },
    problems: [
      "not_found",
      "recording_not_ready",
      "recording_deleted",
      "range_not_satisfiable",
      "signature_invalid",
      "signature_expired",
    ],
    signed: (request) => {
      const { id = "", index = "" } = request.params as Record<string, string>;
      return access.check(request, `/v1/recordings/${id}/files/${index}`);
    },
    raw: async (request, reply, { key, params }) => {
      const recording = await find(context, params.id, key);
      return answerWithFile(context, request, reply, recording, requireFile(recording, params.index));
    },
  });
}

async function answerWithFile(
  context: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  recording: RecordingRecord,
  file: RecordingFileRecord,
): Promise<FastifyReply> {
  const opened = await openRecordingFile(file, context.recordingsFolder);
  if (opened?.sizeBytes === file.bytes) return sendFile(request, reply, opened, recording, file);
  await opened?.close();
  context.logger.warn(
    { recordingId: recording.id },
    "a file of a recording is missing, or is not the one that was made",
  );
  throw new ApiProblem("not_found", "The file is not there any more, or is not the one that was recorded.");
}

function signRecording(context: ApiContext, access: SignedAccess): RouteDefinition {
  const body: z.ZodType<{ index: number; expires_in_s: number }> = z.strictObject({
    index: z.number().int().min(0).max(MAX_FILE_INDEX).default(0).describe("Of the file."),
    expires_in_s: z
      .number()
      .int()
      .min(1)
      .max(MAX_URL_LIFE_MS / 1_000)
      .default(DEFAULT_URL_LIFE_MS / 1_000)
      .describe("How long the URL is good, in seconds."),
  });
  return defineRoute({
    method: "POST",
    path: "/v1/recordings/{id}/url",
    operationId: "signRecordingUrl",
    tag: TAG,
    summary: "Make a URL of a file that needs no key",
    description:
      "For players and pages. Whoever has it can read this one file until it expires; it cannot be taken back before.",
    access: "recordings:read",
    idempotent: false,
    params: idParams,
    body,
    responses: {
      200: {
        description: "The URL; relative to this API, unless the gateway knows its public address.",
        schema: z.object({ url: z.string(), expires_at: z.string() }),
      },
    },
    problems: ["not_found", "recording_not_ready", "recording_deleted"],
    handle: async ({ key, params, body: { index, expires_in_s } }) => {
      const recording = await find(context, params.id, key);
      requireFile(recording, index);
      return { status: 200, body: await access.sign(filePath(recording.id, index), expires_in_s * 1_000) };
    },
  });
}

function removeRecording(context: ApiContext): RouteDefinition {
  return defineRoute({
    method: "DELETE",
    path: "/v1/recordings/{id}",
    operationId: "deleteRecording",
    tag: TAG,
    summary: "Delete a recording",
    description:
      "Its files are removed from the disk, and `recording.deleted` follows. Deleting it once more changes nothing.",
    access: "recordings:delete",
    params: idParams,
    responses: { 204: { description: "It is deleted." } },
    problems: ["not_found", "recording_not_ready"],
    handle: async ({ key, params }) => {
      const recording = await find(context, params.id, key);
      if (await isBeingMade(context, recording)) throw notReady();
      if (recording.status === "deleted" || (await deleteRecording(recording, key.id, context))) {
        return { status: 204 };
      }
      throw new ApiProblem("internal_error", "A file could not be removed; the log of the gateway says why.");
    },
  });
}

async function find({ store }: ApiContext, id: string, key: ApiKeyRecord): Promise<RecordingRecord> {
  const recording = await store.recordings.get(id);
  if (recording !== null && isOfKey(key, recording.phoneNumberId)) return recording;
  throw new ApiProblem("not_found", "There is no such recording.");
}

/** One that a crash has left unfinished is not. */
async function isBeingMade({ store }: ApiContext, { status, callId }: RecordingRecord): Promise<boolean> {
  return status === "in-progress" && (await store.calls.get(callId))?.state !== "ended";
}

function requireFile(recording: RecordingRecord, index: number): RecordingFileRecord {
  if (recording.status === "deleted") throw new ApiProblem("recording_deleted", "Its files were removed.");
  if (recording.status === "in-progress") throw notReady();
  const file = recording.files[index];
  if (file !== undefined) return file;
  throw new ApiProblem("not_found", `The recording has ${recording.files.length} files, counted from 0.`);
}

function notReady(): ApiProblem {
  return new ApiProblem(
    "recording_not_ready",
    "Wait for recording.completed, recording.failed or recording.absent.",
  );
}
