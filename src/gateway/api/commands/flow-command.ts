import { z } from "zod";
import { checkFlow, type FlowDocument } from "../../../core/flow/index.ts";
import { runFlow } from "../../flow/run-flow.ts";
import { snakeCase } from "../../records/event-data.ts";
import type { ApiContext } from "../context.ts";
import { ApiProblem } from "../problems.ts";
import { type CommandDefinition, defineCommand } from "./command.ts";
import { soundFaults } from "./sounds.ts";

const flowFields = {
  flow: z
    .union([z.record(z.string(), z.unknown()), z.array(z.unknown())], {
      error: "must be a flow document, or the steps of one",
    })
    .describe("A flow as in docs/flows.md, or its steps. Files that it names are in the folder of sounds."),
  at_end: z
    .enum(["hangup", "keep"])
    .optional()
    .describe("What becomes of the call at the end of the flow. Default `hangup`."),
};

/** A whole flow, in place of many commands. */
export const FLOW_COMMAND: CommandDefinition = defineCommand({
  verb: "flow",
  kind: "flow",
  summary: "Takes the call through a flow.",
  description: "A second flow takes the place of the first. Done when the flow is over.",
  shape: flowFields,
  prepare: ({ flow, at_end: atEnd }, { context }) => {
    const document = requireFlow(flow, context);
    return async ({ call, task, work }) => {
      work.stop("flow", task);
      const { clock, timers, logger, requests, soundsFolder } = context;
      const { reason, steps, durationMs } = await runFlow(call, document, {
        requests,
        atEnd: atEnd === "keep" ? "keep" : "hang-up",
        signal: task.signal,
        logger,
        clock,
        timers,
        ...(soundsFolder !== null && { folder: soundsFolder }),
      });
      return { result: { reason: snakeCase(reason), steps, duration_ms: Math.round(durationMs) } };
    };
  },
});

function requireFlow(flow: unknown, { soundsFolder }: ApiContext): FlowDocument {
  const { document, mistakes } = checkFlow(flow);
  if (document === null) {
    const errors = mistakes.map(({ path, message }) => ({
      path: path === "" ? "body.flow" : `body.flow.${path}`.slice(0, 200),
      message,
    }));
    throw new ApiProblem("flow_invalid", "`ringback flow check` explains every mistake.", { errors });
  }
  const errors = soundFaults(document, soundsFolder);
  if (errors.length > 0)
    throw new ApiProblem("flow_invalid", "The flow names files that it may not.", { errors });
  return document;
}
