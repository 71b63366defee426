import { z } from "zod";
import type { RecordingRecord } from "../../../store/types.ts";
import { isoTime, isoTimeOrNull } from "../pages.ts";

export const recordingSchema: z.ZodType = z
  .object({
    id: z.string(),
    call_id: z.string(),
    phone_number_id: z.string(),
    status: z.enum(["in_progress", "completed", "absent", "failed", "deleted"]),
    format: z.enum(["opus", "wav"]).describe("`opus`: Ogg Opus."),
    duration_ms: z.number().nullable(),
    consent: z.record(z.string(), z.unknown()).describe("How the caller agreed."),
    started_at: z.string(),
    ended_at: z.string().nullable(),
    files: z.array(
      z.object({
        index: z.number(),
        channel: z.enum(["caller", "business", "both"]),
        bytes: z.number(),
        sha256: z.string(),
        path: z.string().describe("Of this API."),
      }),
    ),
  })
  .describe("A recording. Where its files are on the disk is not told.");

/** A recording as the API tells of it. Files are there once it is finished, until it is deleted. */
export function toRecordingResource(recording: RecordingRecord): object {
  const { id, status } = recording;
  const hasFiles = status === "completed" || status === "failed";
  return {
    id,
    call_id: recording.callId,
    phone_number_id: recording.phoneNumberId,
    status: status.replaceAll("-", "_"),
    format: recording.format,
    duration_ms: recording.durationMs,
    consent: recording.consent,
    started_at: isoTime(recording.startedAt),
    ended_at: isoTimeOrNull(recording.endedAt),
    files: (hasFiles ? recording.files : []).map(({ channel, bytes, sha256 }, index) => ({
      index,
      channel,
      bytes,
      sha256,
      path: filePath(id, index),
    })),
  };
}

/** What a signed URL signs. */
export function filePath(recordingId: string, index: number): string {
  return `/v1/recordings/${recordingId}/files/${index}`;
}
