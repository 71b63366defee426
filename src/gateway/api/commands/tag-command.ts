import { z } from "zod";
import { FLOW_LIMITS } from "../../../core/flow/index.ts";
import { type CommandDefinition, DONE, defineCommand } from "./command.ts";

const { tags: MAX_TAGS, tagChars } = FLOW_LIMITS;

/** Notes in the record of the call. */
export const TAG_COMMAND: CommandDefinition = defineCommand({
  verb: "tag",
  summary: "Notes names and values in the call's record.",
  description: "Beside those that are there; `call.tagged` has all of them. Put nothing personal into them.",
  shape: {
    tags: z
      .record(
        z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, "must be letters, digits, - _ and ., 64 at most"),
        z.union([z.string().max(tagChars), z.number(), z.boolean()], {
          error: `must be a text of ${tagChars} characters at most, a number, true or false`,
        }),
      )
      .refine((tags) => Object.keys(tags).length <= MAX_TAGS, `may be ${MAX_TAGS} at most`),
  },
  prepare:
    ({ tags }) =>
    async ({ call }) => {
      call.tag(tags);
      return DONE;
    },
});
