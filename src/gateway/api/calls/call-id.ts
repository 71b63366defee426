import { z } from "zod";
import { isId } from "../../../core/events/id.ts";

/** Id of a call in a path or a body. */
export const callIdSchema: z.ZodType<string> = z
  .string()
  .max(64)
  .refine((text) => isId("call", text), "must be the id of a call: call_ and 32 hex digits")
  .describe("`call_…`");
