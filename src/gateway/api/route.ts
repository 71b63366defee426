import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { ApiKeyRecord } from "../../store/types.ts";
import type { ProblemCode } from "./problems.ts";
import type { Scope } from "./scopes.ts";

/** `public`: for everybody. `any-key`: for every key, whatever its scopes. */
export type RouteAccess = Scope | "any-key" | "public";

export type RouteMethod = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

/** What a request says, checked by the route's schemas. */
export interface RouteInput<P = unknown, Q = unknown, B = unknown> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /**
   * Who asks. A key with a `phoneNumberId` sees and touches only what is of that number. For public routes, and for signed URLs,
   * a stand-in whose id is `anonymous` or `signed-url`.
   */
  readonly key: ApiKeyRecord;
  readonly headers: FastifyRequest["headers"];
  /** Aborts when the client is gone before its answer. */
  readonly signal: AbortSignal;
}

export interface RouteResult {
  readonly status: number;
  /** An object is sent as JSON, a text as it is; nothing for 204. */
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer as the OpenAPI document has it. */
export interface ResponseSpec {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Default `application/json`. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Takes the answer into its own hands: streams, files. It may throw an `ApiProblem` as long as nothing was sent; when it has taken
 * `reply.hijack()`, everything else is its own.
 */
export type RawHandler<P, Q, B> = (
  request: FastifyRequest,
  reply: FastifyReply,
  input: RouteInput<P, Q, B>,
) => unknown;

/** Takes a WebSocket's handshake, once the key is known and its scope is right. Owns the socket from then on. */
export type UpgradeHandler<P, Q> = (
  upgrade: { readonly request: FastifyRequest["raw"]; readonly socket: Duplex; readonly head: Buffer },
  input: RouteInput<P, Q, undefined>,
) => void | Promise<void>;

interface RouteFacts {
  readonly method: RouteMethod;
  /** As OpenAPI has it: `/v1/calls/{id}`. */
  readonly path: string;
  /** Unique: `getCall`. */
  readonly operationId: string;
  /** Heading that it stands under in the page: `Calls`. */
  readonly tag: string;
  /** A line. */
  readonly summary: string;
  /** Markdown. */
  readonly description?: string;
  readonly access: RouteAccess;
  readonly responses: Readonly<Record<number, ResponseSpec>>;
  /** Codes of its own, beside those that every route has. */
  readonly problems?: readonly ProblemCode[];
  /** For POST: whether `Idempotency-Key` counts. Default true for POST. */
  readonly idempotent?: boolean;
  /** A page for people: browsers ask for the key, as the password of any user. Default false. */
  readonly isPage?: boolean;
  /** Is a stream: it is not counted among the requests in flight. Default false. */
  readonly isStream?: boolean;
  /**
   * For a request without a key, where `access` is a scope: true lets it in (`key.id` is `signed-url` then), false asks for the key.
   * Throws an `ApiProblem` for a signature that is not right.
   */
  readonly signed?: (request: FastifyRequest) => boolean | Promise<boolean>;
  /** The API is about to close: long answers are to end. */
  readonly onClose?: () => void;
  /** What is kept of an answer for a repeated `Idempotency-Key`: a secret that is shown once is taken out. */
  readonly forReplay?: (body: unknown) => unknown;
}

export interface RouteSpec<P, Q, B> extends RouteFacts {
  readonly params?: z.ZodType<P>;
  /** Values are texts: coerce. */
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  readonly handle?: (input: RouteInput<P, Q, B>) => RouteResult | Promise<RouteResult>;
  /** In place of `handle`. */
  readonly raw?: RawHandler<P, Q, B>;
  /** Beside them, for WebSockets on the same path. */
  readonly upgrade?: UpgradeHandler<P, Q>;
}

/** A route whose schemas and handler belong together. Made by `defineRoute` alone. */
export interface RouteDefinition extends RouteFacts {
  readonly params: z.ZodType | null;
  readonly query: z.ZodType | null;
  readonly body: z.ZodType | null;
  readonly handle: ((input: RouteInput) => RouteResult | Promise<RouteResult>) | null;
  readonly raw: RawHandler<unknown, unknown, unknown> | null;
  readonly upgrade: UpgradeHandler<unknown, unknown> | null;
}

/**
 * One way to say what a route is: it is registered from this, its input is checked by it, and the OpenAPI document has it.
 * Without a schema, a part of the request must be empty, and is undefined.
 */
export function defineRoute<P = undefined, Q = undefined, B = undefined>(
  spec: RouteSpec<P, Q, B>,
): RouteDefinition {
  const { params, query, body, handle, raw, upgrade, ...facts } = spec;
  // The handler gets what its schemas have let through: the types meet here, and nowhere else.
  return {
    ...facts,
    params: params ?? null,
    query: query ?? null,
    body: body ?? null,
    handle: (handle as RouteDefinition["handle"] | undefined) ?? null,
    raw: (raw as RouteDefinition["raw"] | undefined) ?? null,
    upgrade: (upgrade as RouteDefinition["upgrade"] | undefined) ?? null,
  };
}
