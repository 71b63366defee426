import { expect, test } from "vitest";
import { type Logger, silentLogger } from "../logger.ts";
import type { GatewayObserver } from "./observer.ts";
import { joinObservers } from "./observers.ts";

function countingLogger(): Logger & { readonly errors: string[] } {
  const errors: string[] = [];
  return { ...silentLogger, errors, error: (fields) => errors.push(JSON.stringify(fields)) };
}

test("each observer is told, those without the method are passed over", () => {
  const told: string[] = [];
  const first: GatewayObserver = { callStarted: (id) => told.push(`first ${id}`) };
  const second: GatewayObserver = { callStarted: (id, number) => told.push(`second ${id} ${number}`) };
  joinObservers([first, {}, second], silentLogger).callStarted("call_1", "100");
  expect(told).toEqual(["first call_1", "second call_1 100"]);
});

test("one that throws is logged once for each method, and the others are told all the same", async () => {
  const told: number[] = [];
  const logger = countingLogger();
  const broken: GatewayObserver = {
    webhookAnswered: () => {
      throw new Error("broken");
    },
    // As a program without types may have it.
    storeFailed: (() => Promise.reject(new Error("later"))) as () => void,
  };
  const joined = joinObservers([broken, { webhookAnswered: (status) => told.push(status) }], logger);
  for (const status of [200, 401, 503]) joined.webhookAnswered(status, 1);
  joined.storeFailed("io");
  joined.storeFailed("io");
  await Promise.resolve();
  await Promise.resolve();
  expect(told).toEqual([200, 401, 503]);
  expect(logger.errors).toHaveLength(2);
});

test("an observer that is an instance keeps its own state", () => {
  class Counting implements GatewayObserver {
    #count = 0;
    callStarted(): void {
      this.#count += 1;
    }
    get count(): number {
      return this.#count;
    }
  }
  const counting = new Counting();
  joinObservers([counting], silentLogger).callStarted("call_1", "100");
  expect(counting.count).toBe(1);
});
