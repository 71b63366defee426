import { expect, test } from "vitest";
import type { LogLine } from "./messages.ts";
import { createWorkerLogger } from "./worker-logger.ts";

test("lines cross with their fields, errors by themselves, and whom they are about", () => {
  const lines: LogLine[] = [];
  const logger = createWorkerLogger((line) => void lines.push(structuredClone(line)), 7).child({ leg: 1 });
  logger.warn({ err: new Error("broken"), ports: [1, 2], fn: () => {}, deep: { a: 1 } }, "it failed");
  logger.debug({}, "and went on");
  expect(lines).toEqual([
    {
      type: "log",
      level: "warn",
      message: "it failed",
      call: 7,
      fields: { leg: 1, ports: [1, 2] },
      errors: { err: expect.objectContaining({ kind: "other", message: "broken" }) },
    },
    { type: "log", level: "debug", message: "and went on", call: 7, fields: { leg: 1 }, errors: {} },
  ]);
});
