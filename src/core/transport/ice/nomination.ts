/** Nominations that lie no further apart are of one round: longer than an agent takes to check all its pairs. */
const ROUND_MS = 3_000;

/**
 * Whether the peer's nomination of another pair counts more than that of the pair that is in use.
 *
 * An agent of RFC 5245 may nominate every pair that it checks, and then uses the best of them (RFC 8445 §8.1.1 obliges us to do
 * the same). Others nominate again when their networks change: the latest counts then, be it the lesser pair.
 *
 * @param laterByMs How much later the peer nominated the other pair; negative: earlier.
 * @param priorityLead Positive when the other pair has the higher priority, 0 for equal ones.
 */
export function isPreferredNomination(laterByMs: number, priorityLead: number): boolean {
  if (priorityLead === 0 || Math.abs(laterByMs) >= ROUND_MS) return laterByMs > 0;
  return priorityLead > 0;
}
