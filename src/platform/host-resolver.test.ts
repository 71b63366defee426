import { expect, test } from "vitest";
import { resolveHost } from "./host-resolver.ts";

test("a name is resolved as the system does it", async () => {
  const addresses = await resolveHost("localhost");
  expect(addresses.length).toBeGreaterThan(0);
  for (const address of addresses) expect(["127.0.0.1", "::1"]).toContain(address);
  // RFC 6761 §6.4: nobody's.
  await expect(resolveHost("ringback.invalid")).rejects.toThrow();
});
