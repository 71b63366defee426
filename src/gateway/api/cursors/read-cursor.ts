import { ApiProblem } from "../problems.ts";

/** A cursor that was read, or the problem of one that could not be. */
export function requireCursor<T>(place: T | null): T {
  if (place !== null) return place;
  throw new ApiProblem("invalid_cursor", "Hand back a cursor as this list of this gateway gave it out.");
}
