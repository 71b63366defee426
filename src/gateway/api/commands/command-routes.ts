import { z } from "zod";
import type { ApiKeyRecord } from "../../../store/types.ts";
import type { LiveCall } from "../../live-calls.ts";
import { callIdSchema } from "../calls/call-id.ts";
import { noSuchCall } from "../calls/call-routes.ts";
import type { ApiContext } from "../context.ts";
import { isOfKey } from "../cursors/own-number.ts";
import { DEFAULT_API_LIMITS } from "../limits/api-limits.ts";
import { ApiProblem, type ProblemCode } from "../problems.ts";
import { defineRoute, type RouteDefinition } from "../route.ts";
import { BRIDGE_COMMANDS } from "./bridge-commands.ts";
import { CallWorks } from "./call-works.ts";
import type { CommandDefinition } from "./command.ts";
import { CommandRunner } from "./command-runner.ts";
import { DIGIT_COMMANDS } from "./digit-commands.ts";
import { FLOW_COMMAND } from "./flow-command.ts";
import { LIFECYCLE_COMMANDS } from "./lifecycle-commands.ts";
import { RECORDING_COMMANDS } from "./recording-commands.ts";
import { SOUND_COMMANDS } from "./sound-commands.ts";
import { TAG_COMMAND } from "./tag-command.ts";

/** Everything that can be asked of a call on the line. */
export const COMMANDS: readonly CommandDefinition[] = [
  ...LIFECYCLE_COMMANDS,
  ...SOUND_COMMANDS,
  ...DIGIT_COMMANDS,
  ...RECORDING_COMMANDS,
  FLOW_COMMAND,
  ...BRIDGE_COMMANDS,
  TAG_COMMAND,
];

const PROBLEMS: readonly ProblemCode[] = [
  "not_found",
  "call_not_live",
  "command_id_reused",
  "too_many_commands",
];

const takenSchema: z.ZodType = z
  .object({ command_id: z.string(), call_id: z.string(), verb: z.string() })
  .meta({ id: "CommandTaken" });

export function commandRoutes(context: ApiContext): readonly RouteDefinition[] {
  const maxPending = context.limits?.pendingCommands ?? DEFAULT_API_LIMITS.pendingCommands;
  const runner = new CommandRunner(context, maxPending);
  const works = new CallWorks();
  return COMMANDS.map((command) =>
    defineRoute({
      method: "POST",
      path: `/v1/calls/{id}/${command.verb}`,
      operationId: operationId(command.verb),
      tag: "Commands",
      summary: command.summary,
      ...(command.description !== undefined && { description: command.description }),
      access: "calls:write",
      params: z.strictObject({ id: callIdSchema }),
      body: command.body,
      responses: {
        202: {
          description:
            "It is taken. `call.command_completed` or `call.command_failed` tells what came of it.",
          schema: takenSchema,
        },
      },
      problems: command.verb === "flow" ? [...PROBLEMS, "flow_invalid"] : PROBLEMS,
      handle: async ({ params: { id }, body, key }) => {
        const live = await requireLiveCall(context, id, key);
        const place = { live, callId: id, key, work: works.of(id, live), context };
        const commandId = await runner.take(command, body, place);
        return { status: 202, body: { command_id: commandId, call_id: id, verb: command.verb } };
      },
    }),
  );
}

/** `pause-recording` -> `callPauseRecording`. */
function operationId(verb: string): string {
  return `call-${verb}`.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** @throws {ApiProblem} `not_found`, also for a call of another number; `call_not_live`. */
async function requireLiveCall(context: ApiContext, id: string, key: ApiKeyRecord): Promise<LiveCall> {
  const live = context.liveCalls.find(id);
  if (live !== null && live.call.phase !== "ended") {
    if (isOfKey(key, live.call.phoneNumberId)) return live;
    throw noSuchCall();
  }
  const record = await context.store.calls.get(id);
  if (record === null || !isOfKey(key, record.phoneNumberId)) throw noSuchCall();
  const isOver = live !== null || record.state === "ended";
  throw new ApiProblem(
    "call_not_live",
    isOver ? "The call has ended." : "The call is not on the line of this process.",
  );
}
