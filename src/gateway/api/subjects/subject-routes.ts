import { z } from "zod";
import { eraseSubject, readSubject } from "../../retention/erase-subject.ts";
import type { ApiContext } from "../context.ts";
import { requireAllNumbers } from "../cursors/own-number.ts";
import { ApiProblem } from "../problems.ts";
import { defineRoute, type RouteDefinition } from "../route.ts";

const erasureSchema: z.ZodType = z.object({
  calls: z.number().describe("Records that are anonymous now."),
  events: z.number(),
  webhooks: z.number(),
  recordings: z.number().describe("Recordings that were deleted with their files."),
  recordings_left: z
    .number()
    .describe("Recordings with a file that could not be removed yet; it is tried again."),
});

export function subjectRoutes(context: ApiContext): readonly RouteDefinition[] {
  return [
    defineRoute({
      method: "DELETE",
      path: "/v1/subjects/{number}",
      operationId: "eraseSubject",
      tag: "Subjects",
      summary: "Erase a person",
      description: [
        "Takes everything personal of a caller out of calls, events and journalled webhooks, and removes their recordings. The calls",
        "stay as anonymous records, the audit proves it. A number in digits, with or without `+`, or a user id of WhatsApp's. What was",
        "delivered to endpoints before is theirs to erase. Paths may get into the logs of proxies: `ringback erase` is the quiet way.",
      ].join(" "),
      access: "subjects:erase",
      params: z.object({ number: z.string().max(150) }),
      responses: { 200: { description: "What was taken away.", schema: erasureSchema } },
      problems: ["subject_has_live_call"],
      handle: async ({ key, params }) => {
        requireAllNumbers(key, "Erasing a person");
        const subject = readSubject(params.number);
        if (subject === null) {
          const message = "must be a phone number in digits, or a user id";
          throw new ApiProblem("invalid_request", "The path names nobody.", {
            errors: [{ path: "params.number", message }],
          });
        }
        const erasure = await eraseSubject(subject, key.id, context);
        if (erasure === "live") {
          throw new ApiProblem("subject_has_live_call", "End the call, or wait for its end, then erase.");
        }
        const { recordingsLeft, ...counts } = erasure;
        return { status: 200, body: { ...counts, recordings_left: recordingsLeft } };
      },
    }),
  ];
}
