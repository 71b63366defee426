import type { FastifyRequest } from "fastify";
import type { z } from "zod";
import { ApiProblem, type FieldError } from "../problems.ts";
import type { RouteDefinition } from "../route.ts";
import type { JsonBody } from "./json-body.ts";

const MAX_ERRORS = 20;
/** Of a path, some of which the client has chosen. */
const MAX_PATH_CHARS = 120;

export interface CheckedInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/**
 * Checks all parts of a request by its route's schemas, and names every mistake at once.
 * @throws {ApiProblem} `invalid_request`.
 */
export function checkInput(
  route: Pick<RouteDefinition, "params" | "query" | "body">,
  request: Pick<FastifyRequest, "params" | "query" | "body">,
): CheckedInput {
  const errors: FieldError[] = [];
  // Fastify's objects may have no prototype, which zod takes for no object.
  const params = read("params", route.params, { ...(request.params as object) }, errors);
  const query = read("query", route.query, { ...(request.query as object) }, errors);
  const body = read("body", route.body, (request.body as JsonBody | undefined)?.value ?? {}, errors);
  if (errors.length === 0) return { params, query, body };
  throw new ApiProblem("invalid_request", "Some fields are missing or not as they should be; see errors.", {
    errors: errors.slice(0, MAX_ERRORS),
  });
}

function read(part: string, schema: z.ZodType | null, value: unknown, errors: FieldError[]): unknown {
  if (schema === null) {
    // Every path has the parameters that it was matched with.
    if (part !== "params" && !isEmpty(value)) errors.push({ path: part, message: "must be empty" });
    return undefined;
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) errors.push(...toFieldErrors(part, issue));
  return undefined;
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/** Without the value, which may be personal. */
function toFieldErrors(part: string, issue: z.core.$ZodIssue): FieldError[] {
  const path = pathOf([part, ...issue.path]);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.slice(0, MAX_ERRORS).map((key) => ({
      path: pathOf([part, ...issue.path, key]),
      message: "unknown field",
    }));
  }
  return [{ path, message: issue.message }];
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.map(String).join(".").slice(0, MAX_PATH_CHARS);
}
