import { RingbackError } from "../errors.ts";

/** An option of the simulator is outside its range. */
export function optionError(
  option: string,
  message: string,
  cause?: unknown,
): RingbackError<"OPTION_INVALID"> {
  return new RingbackError("OPTION_INVALID", message, { details: { option }, cause });
}

/** The simulator is not in a state that allows the operation. */
export function stateError(
  state: string,
  operation: string,
  message: string,
): RingbackError<"SIMULATOR_WRONG_STATE"> {
  return new RingbackError("SIMULATOR_WRONG_STATE", message, { details: { state, operation } });
}
