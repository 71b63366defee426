import { expect, test } from "vitest";
import { RingbackError } from "../errors.ts";
import { isTransient, toStoreError } from "./errors.ts";

function failure(code: string, message = "it failed"): Error {
  return Object.assign(new Error(message), { code });
}

test.each([
  ["SQLITE_FULL", "disk-full"],
  ["SQLITE_READONLY", "read-only"],
  ["SQLITE_READONLY_DBMOVED", "read-only"],
  ["SQLITE_IOERR_FSYNC", "io"],
  ["SQLITE_CANTOPEN", "io"],
  ["SQLITE_CORRUPT", "corrupt"],
  ["SQLITE_CORRUPT_INDEX", "corrupt"],
  ["SQLITE_NOTADB", "corrupt"],
  ["SQLITE_BUSY", "busy"],
  ["SQLITE_BUSY_SNAPSHOT", "busy"],
  ["08006", "connection"],
  ["57P01", "connection"],
  ["57P03", "connection"],
  ["57014", "busy"],
  ["53100", "disk-full"],
  ["53300", "busy"],
  ["25006", "read-only"],
  ["58030", "io"],
  ["XX001", "corrupt"],
  ["ECONNREFUSED", "connection"],
  ["ECONNRESET", "connection"],
])("%s makes the store unavailable: %s", (code, reason) => {
  const error = toStoreError(failure(code));
  expect(error).toBeInstanceOf(RingbackError);
  expect(error).toMatchObject({ code: "STORE_UNAVAILABLE", details: { reason }, retryable: true });
});

test.each([
  "Connection terminated unexpectedly",
  "timeout exceeded when trying to connect",
  "Query read timeout",
  "Client has encountered a connection error and is not queryable",
])("what pg says without a code is a lost connection: %s", (message) => {
  expect(toStoreError(new Error(message))).toMatchObject({
    code: "STORE_UNAVAILABLE",
    details: { reason: "connection" },
  });
});

test("a mistake in a request stays what it is", () => {
  for (const error of [failure("SQLITE_CONSTRAINT_UNIQUE"), failure("23505"), new TypeError("no"), "text"]) {
    expect(toStoreError(error)).toBe(error);
  }
});

test("a transaction that another one was in the way of is tried again", () => {
  expect(isTransient(failure("40001"))).toBe(true);
  expect(isTransient(failure("40P01"))).toBe(true);
  expect(isTransient(failure("23505"))).toBe(false);
});
