import type { FastifyReply } from "fastify";
import { ApiProblem } from "../problems.ts";

/** Counts the requests that wait for their answers, and refuses what is too much. */
export class InFlight {
  readonly #max: number;
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get count(): number {
    return this.#count;
  }

  /** @throws {ApiProblem} `overloaded`. */
  enter(reply: FastifyReply): void {
    if (this.#count >= this.#max) {
      throw new ApiProblem("overloaded", "Too many requests are being worked on.", { retryAfterS: 1 });
    }
    this.#count += 1;
    // Comes once, whether it was answered or the client is gone.
    reply.raw.once("close", () => {
      this.#count -= 1;
    });
  }
}
