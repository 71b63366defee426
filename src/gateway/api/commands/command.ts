import { z } from "zod";
import type { JsonObject } from "../../../core/events/event-types.ts";
import type { ApiKeyRecord } from "../../../store/types.ts";
import type { Call } from "../../call.ts";
import type { LiveCall } from "../../live-calls.ts";
import type { ApiContext } from "../context.ts";
import type { CallWork, Task, WorkKind } from "./call-work.ts";

/** What a command came to. `personal` takes the place of `result` until it is erased. */
export interface CommandOutcome {
  readonly result: JsonObject;
  readonly personal?: JsonObject;
}

/** A call on the line, as a command is given it. */
export interface CommandPlace {
  readonly live: LiveCall;
  readonly callId: string;
  readonly key: ApiKeyRecord;
  readonly work: CallWork;
  readonly context: ApiContext;
}

export interface CommandRun {
  readonly call: Call;
  readonly task: Task;
  readonly work: CallWork;
}

/** Does it. What it throws is the outcome `call.command_failed`. */
export type CommandWork = (run: CommandRun) => Promise<CommandOutcome>;

interface CommandFacts {
  /** Its path is `/v1/calls/{id}/<verb>`. */
  readonly verb: string;
  readonly summary: string;
  readonly description?: string;
  readonly kind?: WorkKind;
  /** Taken however many are under way: what ends things. */
  readonly isAlwaysTaken?: boolean;
}

export interface CommandSpec<S extends z.ZodRawShape> extends CommandFacts {
  readonly shape: S;
  /** Throws an `ApiProblem` for what can be told to be wrong before anything is done. */
  readonly prepare: (body: z.output<z.ZodObject<S>>, place: CommandPlace) => CommandWork;
}

export type CommandBody = Readonly<Record<string, unknown>> & { readonly command_id?: string };

export interface CommandDefinition extends CommandFacts {
  readonly body: z.ZodType<CommandBody>;
  readonly prepare: (body: CommandBody, place: CommandPlace) => CommandWork;
}

const commandId = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]{1,64}$/, "must be 1 to 64 letters, digits, _ . : -")
  .optional()
  .describe(
    "Yours, unique in the call: the same command sent again is not done again. Default: one is made.",
  );

/** One command that calls take over the API. */
export function defineCommand<S extends z.ZodRawShape>(spec: CommandSpec<S>): CommandDefinition {
  const { shape, prepare, ...facts } = spec;
  const body = z.strictObject({ ...shape, command_id: commandId });
  return {
    ...facts,
    // What was let through by the schema is what `prepare` takes.
    body: body.meta({ id: componentName(facts.verb) }) as unknown as z.ZodType<CommandBody>,
    prepare: prepare as unknown as CommandDefinition["prepare"],
  };
}

/** `pause-recording` -> `PauseRecordingCommand`. */
function componentName(verb: string): string {
  const words = verb.split("-").map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`);
  return `${words.join("")}Command`;
}

/** Nothing to tell but that it was done. */
export const DONE: CommandOutcome = { result: {} };
