import { expect, test } from "vitest";
import { addressGroup } from "./address-group.ts";
import { TokenBuckets } from "./token-buckets.ts";

test("a bucket gives its burst, then what flows in", () => {
  const buckets = new TokenBuckets({ burst: 2, perSecond: 1 }, 10);
  expect([0, 0, 0].map((at) => buckets.take("a", at).allowed)).toEqual([true, true, false]);
  expect(buckets.take("a", 400)).toEqual({ allowed: false, remaining: 0, retryAfterMs: 600, resetMs: 1_600 });
  expect(buckets.take("a", 1_000).allowed).toBe(true);
  expect(buckets.take("b", 1_000).remaining).toBe(1);
  expect(buckets.take("a", 60_000).remaining).toBe(1);
});

test("a clock that goes back takes nothing away and gives nothing", () => {
  const buckets = new TokenBuckets({ burst: 1, perSecond: 1 }, 10);
  expect(buckets.take("a", 5_000).allowed).toBe(true);
  expect(buckets.take("a", 1_000)).toMatchObject({ allowed: false, retryAfterMs: 1_000 });
});

test("the bucket that was asked for longest ago is forgotten first", () => {
  const buckets = new TokenBuckets({ burst: 1, perSecond: 0.001 }, 2);
  for (const name of ["a", "b", "a", "c"]) buckets.take(name, 0);
  expect(buckets.size).toBe(2);
  expect(buckets.take("a", 0).allowed).toBe(false);
  expect(buckets.take("b", 0).allowed).toBe(true);
});

test("one site of IPv6 counts as one client, and an IPv4 address in IPv6 as itself", () => {
  expect(addressGroup("2001:db8::1")).toBe(addressGroup("2001:db8::ffff:1"));
  expect(addressGroup("2001:db8::1")).not.toBe(addressGroup("2001:db8:0:1::1"));
  expect(addressGroup("::ffff:10.0.0.1")).toBe(addressGroup("10.0.0.1"));
  expect(addressGroup("10.0.0.1")).not.toBe(addressGroup("10.0.0.2"));
});
