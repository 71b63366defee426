import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "../../../logger.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { ApiKeyRecord, ApiKeys } from "../../../store/types.ts";
import { Authenticator } from "../auth/authenticator.ts";
import { tokenOf } from "../auth/credentials.ts";
import { ANONYMOUS, signedUrlKey } from "../auth/stand-ins.ts";
import { addressGroup } from "../limits/address-group.ts";
import type { ApiLimits } from "../limits/api-limits.ts";
import { type BucketState, TokenBuckets } from "../limits/token-buckets.ts";
import { ApiProblem } from "../problems.ts";
import type { RouteDefinition } from "../route.ts";

/** Buckets that are remembered, of each kind. */
const MAX_BUCKETS = 10_000;

export interface GateDeps {
  readonly apiKeys: ApiKeys;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: ApiLimits;
}

/** What a request has to do with a route, as far as letting it in is concerned. */
export type GatedRoute = Pick<RouteDefinition, "access" | "signed" | "isPage" | "upgrade">;

/** Lets requests in, or says why not: rates first, then the key, then its scope. */
export class Gate {
  readonly #clock: Clock;
  readonly #authenticator: Authenticator;
  readonly #addresses: TokenBuckets;
  readonly #keys: TokenBuckets;
  readonly #failures: TokenBuckets;

  constructor(deps: GateDeps) {
    this.#clock = deps.clock;
    this.#authenticator = new Authenticator(deps);
    this.#addresses = new TokenBuckets(deps.limits.perAddress, MAX_BUCKETS);
    this.#keys = new TokenBuckets(deps.limits.perKey, MAX_BUCKETS);
    this.#failures = new TokenBuckets(deps.limits.failures, MAX_BUCKETS);
  }

  /** @throws {ApiProblem} `rate_limited`, `key_…`, `signature_…`, `scope_missing`. */
  async admit(request: FastifyRequest, reply: FastifyReply, route: GatedRoute): Promise<ApiKeyRecord> {
    this.#pass(this.#addresses, addressGroup(request.ip), reply);
    if (route.access === "public") return ANONYMOUS;
    const token = tokenOf(request.headers, {
      basic: route.isPage === true,
      subprotocol: route.upgrade !== null && request.headers.upgrade !== undefined,
    });
    if (token === null && route.signed !== undefined && route.access !== "any-key") {
      if (await route.signed(request)) return signedUrlKey(route.access);
    }
    const key = await this.#authenticate(token, request, reply, route);
    this.#pass(this.#keys, key.id, reply);
    if (route.access !== "any-key" && !key.scopes.includes(route.access)) {
      throw new ApiProblem("scope_missing", `This needs a key with the scope ${route.access}.`);
    }
    return key;
  }

  async #authenticate(
    token: string | null,
    request: FastifyRequest,
    reply: FastifyReply,
    route: GatedRoute,
  ): Promise<ApiKeyRecord> {
    try {
      return await this.#authenticator.authenticate(token);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      // Whoever comes with a good key is let in whatever others do at the same address, which may be a proxy's.
      this.#pass(this.#failures, addressGroup(request.ip), reply);
      if (route.isPage !== true) throw error;
      throw new ApiProblem(error.code, error.message, {
        headers: { "www-authenticate": 'Basic realm="ringback: the key is the password", charset="UTF-8"' },
      });
    }
  }

  /** Header names of draft-ietf-httpapi-ratelimit-headers-07, which most clients know. */
  #pass(buckets: TokenBuckets, name: string, reply: FastifyReply): void {
    const state = buckets.take(name, this.#clock.nowMs());
    void reply.headers(rateHeaders(buckets.rate.burst, state));
    if (state.allowed) return;
    throw new ApiProblem("rate_limited", "Wait as long as Retry-After says, then go on more slowly.", {
      retryAfterS: Math.max(1, state.retryAfterMs / 1_000),
    });
  }
}

function rateHeaders(limit: number, state: BucketState): Record<string, string> {
  return {
    "ratelimit-limit": String(limit),
    "ratelimit-remaining": String(state.remaining),
    "ratelimit-reset": String(Math.ceil(state.resetMs / 1_000)),
  };
}
