import type { FastifyInstance } from "fastify";
import { ApiProblem } from "../problems.ts";

/** Deeper than any body of the API is; flows nest their branches. */
export const MAX_JSON_DEPTH = 64;

/** A body with the bytes that it was read from, which an `Idempotency-Key` stands for. */
export interface JsonBody {
  readonly text: string;
  readonly value: unknown;
}

/** Bodies are JSON in UTF-8, not deeper than `MAX_JSON_DEPTH`, and without `__proto__` and `constructor.prototype`. */
export function addJsonParser(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  const parse = server.getDefaultJsonParser("error", "error");
  server.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
    const text = decode(body as Buffer);
    if (text === null) return done(invalidJson("It must be UTF-8."));
    if (text.trim() === "") return done(null, undefined);
    if (isTooDeep(text)) return done(invalidJson(`It may be ${MAX_JSON_DEPTH} levels deep.`));
    return parse(request, text, (error, value: unknown) => {
      if (error !== null) done(invalidJson("It must be one JSON value, without keys such as __proto__."));
      else done(null, { text, value } satisfies JsonBody);
    });
  });
}

function invalidJson(detail: string): ApiProblem {
  return new ApiProblem("invalid_json", detail);
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Counts brackets outside of texts: cheap, and before anything recursive sees the text. */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  let isText = false;
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i];
    if (isText) {
      if (char === "\\") i += 1;
      else if (char === '"') isText = false;
    } else if (char === '"') isText = true;
    else if (char === "[" || char === "{") {
      depth += 1;
      if (depth > MAX_JSON_DEPTH) return true;
    } else if (char === "]" || char === "}") depth -= 1;
  }
  return false;
}
