import { expect, onTestFinished, test } from "vitest";
import { silentLogger } from "../../../logger.ts";
import { systemClock } from "../../../platform/clock.ts";
import { systemRandom } from "../../../platform/random.ts";
import { systemTimers } from "../../../platform/timers.ts";
import { openStore, type Store } from "../../../store/index.ts";
import type { WebhookEndpoint } from "../../../store/types.ts";
import { sealEndpoints } from "./sealed-endpoints.ts";

const DATA_KEY = "k".repeat(44);
const ENDPOINT: WebhookEndpoint = {
  id: `whe_${"0".repeat(32)}`,
  url: "https://hooks.example.com/",
  types: null,
  phoneNumberId: null,
  secrets: [{ secret: "whsec_plain", expiresAt: null }],
  state: "enabled",
  disabledReason: null,
  description: "",
  createdAt: 1,
};

async function open(): Promise<Store> {
  const deps = { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger };
  const store = await openStore({ file: ":memory:", node: "test" }, deps);
  onTestFinished(() => store.close());
  return store;
}

test("secrets are plain for who uses the endpoints, and encrypted in the store", async () => {
  const store = await open();
  const sealed = sealEndpoints(store.endpoints, DATA_KEY, systemRandom);
  await sealed.create(ENDPOINT);
  expect(await sealed.list()).toEqual([ENDPOINT]);
  expect(await sealed.get(ENDPOINT.id)).toEqual(ENDPOINT);
  expect((await store.endpoints.get(ENDPOINT.id))?.secrets[0]?.secret).toMatch(/^sealed:v1:(?!.*plain)/);
  const secrets = [{ secret: "whsec_other", expiresAt: null }];
  expect((await sealed.update(ENDPOINT.id, { secrets }))?.secrets).toEqual(secrets);
  expect(JSON.stringify(await store.endpoints.list())).not.toContain("whsec_");
  expect((await sealed.update(ENDPOINT.id, { description: "x" }))?.secrets).toEqual(secrets);
  expect(await sealed.remove(ENDPOINT.id)).toBe(true);
  expect(await sealed.get(ENDPOINT.id)).toBeNull();
});

test("secrets from before there was a key stay readable; with another key they are not", async () => {
  const store = await open();
  await store.endpoints.create(ENDPOINT);
  const sealed = sealEndpoints(store.endpoints, DATA_KEY, systemRandom);
  expect(await sealed.get(ENDPOINT.id)).toEqual(ENDPOINT);
  await sealed.update(ENDPOINT.id, { secrets: ENDPOINT.secrets });
  const other = sealEndpoints(store.endpoints, "o".repeat(44), systemRandom);
  await expect(other.list()).rejects.toMatchObject({
    code: "OPTION_INVALID",
    details: { option: "dataKey" },
  });
  expect(() => sealEndpoints(store.endpoints, "short", systemRandom)).toThrow(/32 characters/);
});
