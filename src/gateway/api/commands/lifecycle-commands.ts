import { type CommandDefinition, DONE, defineCommand } from "./command.ts";

/** To take a call, to turn it away, to end it. */
export const LIFECYCLE_COMMANDS: readonly CommandDefinition[] = [
  defineCommand({
    verb: "answer",
    summary: "Answers a ringing call.",
    description: "Done when audio may flow both ways. Answering again changes nothing.",
    shape: {},
    prepare:
      () =>
      async ({ call }) => {
        await call.answer();
        return DONE;
      },
  }),
  defineCommand({
    verb: "reject",
    summary: "Turns a ringing call away.",
    description: "Fails with `call_wrong_phase` when the call is active: hang up then.",
    isAlwaysTaken: true,
    shape: {},
    prepare:
      () =>
      async ({ call }) => {
        await call.reject();
        return DONE;
      },
  }),
  defineCommand({
    verb: "hangup",
    summary: "Ends a call in any phase.",
    description: "`call.ended` comes before the outcome of the command.",
    isAlwaysTaken: true,
    shape: {},
    prepare:
      () =>
      async ({ call }) => {
        await call.hangUp();
        return DONE;
      },
  }),
];
