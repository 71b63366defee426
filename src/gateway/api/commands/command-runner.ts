import { createHash } from "node:crypto";
import { createId } from "../../../core/events/id.ts";
import type { ApiContext } from "../context.ts";
import { ApiProblem } from "../problems.ts";
import type { Task } from "./call-work.ts";
import type { CommandBody, CommandDefinition, CommandPlace, CommandWork } from "./command.ts";
import { toCommandFailure } from "./command-error.ts";

/** Takes commands, does each once, and has its outcome written among the call's events. */
export class CommandRunner {
  readonly #context: ApiContext;
  readonly #maxPending: number;

  constructor(context: ApiContext, maxPending: number) {
    this.#context = context;
    this.#maxPending = maxPending;
  }

  /**
   * Resolves with the command's id when it is taken: it is under way then.
   * @throws {ApiProblem} `too_many_commands`, `command_id_reused`; what `prepare` throws.
   */
  async take(command: CommandDefinition, body: CommandBody, place: CommandPlace): Promise<string> {
    const { command_id: given, ...parameters } = body;
    const work = command.prepare(parameters, place);
    if (command.isAlwaysTaken !== true && place.work.size >= this.#maxPending) {
      throw new ApiProblem(
        "too_many_commands",
        `A call has ${this.#maxPending} commands under way at most.`,
        {
          retryAfterS: 1,
        },
      );
    }
    const { store, clock, random } = this.#context;
    const commandId = given ?? createId("cmd", clock.wallMs(), random);
    const task = place.work.begin(command.kind ?? "other");
    try {
      const { callId } = place;
      const requestHash = hashCommand(command.verb, parameters);
      const record = { id: commandId, callId, verb: command.verb, requestHash, createdAt: clock.wallMs() };
      const added = await store.commands.add(record);
      if (added === "conflict") {
        throw new ApiProblem("command_id_reused", "Use another command_id for another command.");
      }
      if (added === "added") void this.#run(command.verb, commandId, work, place, task);
      else task.end();
      return commandId;
    } catch (error) {
      task.end();
      throw error;
    }
  }

  async #run(
    verb: string,
    commandId: string,
    work: CommandWork,
    place: CommandPlace,
    task: Task,
  ): Promise<void> {
    const { live, callId } = place;
    const named = { command_id: commandId, verb };
    try {
      const { result, personal } = await work({ call: live.call, task, work: place.work });
      live.record(
        "call.command_completed",
        { ...named, result },
        personal === undefined ? null : { result: personal },
      );
    } catch (error) {
      const failure = toCommandFailure(error);
      if (failure === null) this.#context.logger.error({ err: error, callId, verb }, "a command failed");
      const { code, message } = failure ?? INTERNAL;
      live.record("call.command_failed", { ...named, error: { code, message } });
    } finally {
      task.end();
    }
  }
}

const INTERNAL = { code: "internal_error", message: "The log of the gateway says what it was." };

function hashCommand(verb: string, parameters: unknown): string {
  return createHash("sha256")
    .update(`${verb}\n${canonicalJson(parameters)}`)
    .digest("hex");
}

/** The order of fields makes no other command. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
