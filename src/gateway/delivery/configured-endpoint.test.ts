import { expect, test } from "vitest";
import { DeliveryRig, OTHER_SECRET, SECRET, startConsumer } from "../../../test/support/delivery-rig.ts";
import { CONFIGURED_ENDPOINT_ID, ensureConfiguredEndpoint } from "./index.ts";

const URL_BEFORE = "https://app.example/events";

test("the endpoint of the settings is made once, and takes events", async () => {
  const rig = await DeliveryRig.open();
  const consumer = await startConsumer();
  const configured = { url: consumer.url, secret: SECRET };
  await Promise.all([
    ensureConfiguredEndpoint(rig.store, configured, rig),
    ensureConfiguredEndpoint(rig.store, configured, rig),
  ]);
  await ensureConfiguredEndpoint(rig.store, configured, rig);
  expect(await rig.store.endpoints.list()).toHaveLength(1);
  rig.deliveries.start();
  await rig.addCall(1);
  await rig.until(() => consumer.accepted.length === 1);
});

test("a new URL takes the place of the old one; a new secret signs beside the old one for a day", async () => {
  const rig = await DeliveryRig.open();
  await ensureConfiguredEndpoint(rig.store, { url: URL_BEFORE, secret: SECRET }, rig);
  await ensureConfiguredEndpoint(rig.store, { url: `${URL_BEFORE}/2`, secret: OTHER_SECRET }, rig);
  const now = rig.clock.wallMs();
  expect(await rig.store.endpoints.get(CONFIGURED_ENDPOINT_ID)).toMatchObject({
    url: `${URL_BEFORE}/2`,
    secrets: [
      { secret: OTHER_SECRET, expiresAt: null },
      { secret: SECRET, expiresAt: now + 86_400_000 },
    ],
  });
  // A restart does not make the old one last longer.
  rig.clock.advance(1_000);
  await ensureConfiguredEndpoint(rig.store, { url: `${URL_BEFORE}/2`, secret: OTHER_SECRET }, rig);
  const endpoint = await rig.store.endpoints.get(CONFIGURED_ENDPOINT_ID);
  expect(endpoint?.secrets[1]?.expiresAt).toBe(now + 86_400_000);
});

test("one that is no more in the settings is disabled, and comes back with them, also after a 410", async () => {
  const rig = await DeliveryRig.open();
  const configured = { url: URL_BEFORE, secret: SECRET };
  await ensureConfiguredEndpoint(rig.store, null, rig);
  expect(await rig.store.endpoints.list()).toEqual([]);
  await ensureConfiguredEndpoint(rig.store, configured, rig);
  await ensureConfiguredEndpoint(rig.store, null, rig);
  const state = async () => (await rig.store.endpoints.get(CONFIGURED_ENDPOINT_ID))?.state;
  expect(await state()).toBe("disabled");
  await rig.store.endpoints.update(CONFIGURED_ENDPOINT_ID, { disabledReason: "gone" });
  await ensureConfiguredEndpoint(rig.store, configured, rig);
  expect(await rig.store.endpoints.get(CONFIGURED_ENDPOINT_ID)).toMatchObject({
    state: "enabled",
    disabledReason: null,
  });
});

test.each([
  ["events.url", { url: "app.example", secret: SECRET }],
  ["events.url", { url: "ftp://app.example", secret: SECRET }],
  ["events.secret", { url: URL_BEFORE, secret: "hunter2hunter2hunter2hunter2hunter2" }],
  ["events.secret", { url: URL_BEFORE, secret: "whsec_c2hvcnQ=" }],
])("settings with a bad %s are refused, and not told", async (option, configured) => {
  const rig = await DeliveryRig.open();
  const work = ensureConfiguredEndpoint(rig.store, configured, rig);
  await expect(work).rejects.toMatchObject({ code: "OPTION_INVALID", details: { option } });
  await expect(work).rejects.not.toThrow(configured.secret);
});
