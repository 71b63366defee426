import { describe, expect, test } from "vitest";
import { RingbackError } from "../../errors.ts";
import { fromWireError, toWireError } from "./wire-error.ts";

const sent = (error: unknown): Error => fromWireError(structuredClone(toWireError(error)));

describe("an error from another thread", () => {
  test("of our own keeps code, details, whether to try again, and its stack", () => {
    const details = { engine: "transport", reason: "closed" };
    const error = new RingbackError("MEDIA_ENGINE_FAILED", "It is closed.", {
      details,
      retryable: true,
      cause: { secret: "stays behind" },
    });
    const arrived = sent(error);
    expect(arrived).toBeInstanceOf(RingbackError);
    expect(arrived).toMatchObject({
      code: "MEDIA_ENGINE_FAILED",
      details,
      retryable: true,
      message: "It is closed.",
      stack: error.stack,
    });
    expect(arrived.cause).toBeUndefined();
  });

  test("of the system keeps name and code", () => {
    const error = Object.assign(new TypeError("bind failed"), { code: "EADDRINUSE" });
    expect(sent(error)).toMatchObject({ name: "TypeError", code: "EADDRINUSE", stack: error.stack });
  });

  test("that is none at all is told as text", () => {
    expect(sent("out of luck")).toMatchObject({ name: "Error", message: "out of luck" });
  });
});
