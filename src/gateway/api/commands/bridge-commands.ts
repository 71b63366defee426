import { z } from "zod";
import { callIdSchema } from "../calls/call-id.ts";
import { noSuchCall } from "../calls/call-routes.ts";
import { isOfKey } from "../cursors/own-number.ts";
import { ApiProblem } from "../problems.ts";
import { type CommandDefinition, defineCommand } from "./command.ts";
import { CommandError } from "./command-error.ts";

/** To let the callers of two calls talk with each other. */
export const BRIDGE_COMMANDS: readonly CommandDefinition[] = [
  defineCommand({
    verb: "bridge",
    summary: "Lets the callers of two calls talk with each other.",
    description:
      "Both calls must be answered. Done when they hear each other; it lasts until `unbridge`, on the call that was bridged, or the end of one of them, and ends neither.",
    shape: {
      other_call_id: callIdSchema,
      digits: z
        .boolean()
        .optional()
        .describe("Keys that one side presses are pressed toward the other. Default true."),
    },
    prepare: ({ other_call_id: otherId, digits }, { context, key, callId }) => {
      const other = context.liveCalls.find(otherId);
      if (other === null || !isOfKey(key, other.call.phoneNumberId)) throw noSuchCall();
      if (otherId === callId) {
        throw new ApiProblem("invalid_request", "A call is not bridged with itself.", {
          errors: [{ path: "body.other_call_id", message: "must be another call" }],
        });
      }
      return async ({ call, work }) => {
        const bridge = await call.bridge(other.call, digits === undefined ? {} : { digits });
        work.bridge = bridge;
        void bridge.ended.then(() => {
          if (work.bridge === bridge) work.bridge = null;
        });
        return { result: { other_call_id: otherId } };
      };
    },
  }),
  defineCommand({
    verb: "unbridge",
    summary: "Takes bridged calls apart again.",
    description: "On the call that `bridge` was sent to. Fails with `not_bridged` when there is no bridge.",
    shape: {},
    prepare:
      () =>
      async ({ work }) => {
        const { bridge } = work;
        if (bridge === null)
          throw new CommandError("not_bridged", "The call was not bridged over the API, or is not any more.");
        bridge.unbridge();
        const { durationMs } = await bridge.ended;
        return { result: { duration_ms: Math.round(durationMs) } };
      },
  }),
];
