import { z } from "zod";
import { PROBLEM_CONTENT_TYPE, PROBLEMS, type ProblemCode } from "../problems.ts";
import type { ResponseSpec, RouteDefinition } from "../route.ts";
import { type JsonSchema, JsonSchemas } from "./json-schemas.ts";

export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: JsonSchema;
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: JsonSchema;
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly OpenApiParameter[];
  readonly requestBody?: JsonSchema;
  readonly responses: Readonly<Record<string, JsonSchema>>;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: "Problem" });

const ABOUT = [
  "Controls the calls of a Ringback gateway. Every request but those to `/healthz` and `/readyz` needs a key,",
  "`Authorization: Bearer rbk_…`; `ringback keys create` makes the first one. Problems are RFC 9457 documents with a stable `code`.",
].join(" ");

/** The OpenAPI 3.1 document of the routes, made from what checks their requests. */
export function openApiDocument(routes: readonly RouteDefinition[]): OpenApiDocument {
  const schemas = new JsonSchemas();
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = operationOf(route, schemas);
    paths[route.path] = operations;
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Ringback control API",
      version: "1",
      summary: "WhatsApp calls over HTTP",
      description: ABOUT,
    },
    tags: [...new Set(routes.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: schemas.components,
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "An API key: `rbk_…`." },
      },
    },
  };
}

/** Those that the route has of its own, and those that go with what it is. */
export function problemsOf(route: RouteDefinition): readonly ProblemCode[] {
  const { access } = route;
  const codes = new Set<ProblemCode>(route.problems);
  codes.add("invalid_request");
  if (access !== "public") for (const code of KEY_PROBLEMS) codes.add(code);
  if (access !== "public" && access !== "any-key") codes.add("scope_missing");
  if (route.body !== null) for (const code of BODY_PROBLEMS) codes.add(code);
  if (takesIdempotencyKey(route)) for (const code of IDEMPOTENCY_PROBLEMS) codes.add(code);
  for (const code of COMMON_PROBLEMS) codes.add(code);
  return Object.keys(PROBLEMS).filter((code): code is ProblemCode => codes.has(code as ProblemCode));
}

const KEY_PROBLEMS: readonly ProblemCode[] = ["key_missing", "key_invalid", "key_expired", "key_revoked"];
const BODY_PROBLEMS: readonly ProblemCode[] = [
  "invalid_json",
  "body_too_large",
  "unsupported_media_type",
  "request_timeout",
];
const IDEMPOTENCY_PROBLEMS: readonly ProblemCode[] = ["idempotency_key_busy", "idempotency_key_reused"];
const COMMON_PROBLEMS: readonly ProblemCode[] = [
  "rate_limited",
  "internal_error",
  "overloaded",
  "store_unavailable",
];

function operationOf(route: RouteDefinition, schemas: JsonSchemas): OpenApiOperation {
  const { operationId, tag, summary, description, access, body } = route;
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    // Since 3.1 the list may name what is needed for schemes other than OAuth, too.
    security: access === "public" ? [] : [{ key: access === "any-key" ? [] : [access] }],
    parameters: parametersOf(route, schemas),
    ...(body !== null && {
      requestBody: {
        required: !body.safeParse({}).success,
        content: { "application/json": { schema: schemas.of(body, "input") } },
      },
    }),
    responses: { ...answersOf(route, schemas), ...problemAnswers(route, schemas) },
  };
}

function parametersOf(route: RouteDefinition, schemas: JsonSchemas): readonly OpenApiParameter[] {
  const header: OpenApiParameter = {
    name: "Idempotency-Key",
    in: "header",
    required: false,
    description:
      "Of yours, for this request: sent again with the same key within 24 h, it is not done again.",
    schema: { type: "string", maxLength: 255 },
  };
  return [
    ...fieldsOf("path", route.params, schemas),
    ...fieldsOf("query", route.query, schemas),
    ...(takesIdempotencyKey(route) ? [header] : []),
  ];
}

function takesIdempotencyKey(route: RouteDefinition): boolean {
  return route.method === "POST" && route.idempotent !== false && route.raw === null;
}

/** Texts become numbers on the way in: their types are those of what comes out, and what may be left out is as it goes in. */
function fieldsOf(
  place: "path" | "query",
  schema: z.ZodType | null,
  schemas: JsonSchemas,
): OpenApiParameter[] {
  if (schema === null) return [];
  const properties = (schemas.of(schema, "output")["properties"] ?? {}) as Record<string, JsonSchema>;
  const required = (schemas.of(schema, "input")["required"] ?? []) as readonly string[];
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === "path" || (required.includes(name) && !("default" in rest)),
    ...(typeof description === "string" && { description }),
    schema: rest,
  }));
}

function answersOf(route: RouteDefinition, schemas: JsonSchemas): Record<string, JsonSchema> {
  return Object.fromEntries(
    Object.entries(route.responses).map(([status, spec]) => [status, answerOf(spec, schemas)]),
  );
}

function answerOf(
  { description, schema, contentType, headers }: ResponseSpec,
  schemas: JsonSchemas,
): JsonSchema {
  const hasContent = schema !== undefined || contentType !== undefined;
  const media = schema === undefined ? {} : { schema: schemas.of(schema, "output") };
  return {
    description,
    ...(hasContent && { content: { [contentType ?? "application/json"]: media } }),
    ...(headers !== undefined && {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, text]) => [
          name,
          { description: text, schema: { type: "string" } },
        ]),
      ),
    }),
  };
}

function problemAnswers(route: RouteDefinition, schemas: JsonSchemas): Record<string, JsonSchema> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of problemsOf(route)) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const schema = schemas.of(problemSchema, "output");
  const answers: Record<string, JsonSchema> = {};
  for (const [status, codes] of byStatus) {
    // What the route says of a status itself stands.
    if (status in route.responses) continue;
    answers[status] = {
      description: codes.map((code) => `\`${code}\``).join(", "),
      content: { [PROBLEM_CONTENT_TYPE]: { schema } },
    };
  }
  return answers;
}
