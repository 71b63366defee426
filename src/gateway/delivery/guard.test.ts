import { inspect } from "node:util";
import { expect, test } from "vitest";
import { DeliveryRig, startConsumer } from "../../../test/support/delivery-rig.ts";

test.each([
  "http://127.0.0.1:PORT/",
  "http://2130706433:PORT/",
  "http://0x7f000001:PORT/",
  "http://0177.0.0.1:PORT/",
  "http://127.1:PORT/",
  "http://[::ffff:127.0.0.1]:PORT/",
  "http://[::ffff:7f00:1]:PORT/",
  "http://[64:ff9b::127.0.0.1]:PORT/",
  "http://[2002:7f00:1::]:PORT/",
  "http://[::1]:PORT/",
  "http://[::]:PORT/",
  "http://0:PORT/",
  "http://localhost:PORT/",
  "http://a.localhost.:PORT/",
  "http://2852039166/",
  "http://0xa9fea9fe/",
  "http://0251.0376.0251.0376/",
  "http://[::ffff:169.254.169.254]/",
  "http://[64:ff9b::169.254.169.254]/",
  "http://[2002:a9fe:a9fe::]/",
  "http://10.0.0.1/",
  "http://user:password@127.0.0.1:PORT/",
  "ftp://127.0.0.1:PORT/",
  "file:///etc/passwd",
  "nothing",
])("nothing is sent to %s, and the log says what would help", async (url) => {
  const consumer = await startConsumer();
  const rig = await DeliveryRig.open({ allowedHosts: [], resolve: async () => ["127.0.0.1"] });
  const endpoint = await rig.addEndpoint(url.replace("PORT", String(consumer.port)));
  rig.deliveries.start();
  await rig.addCall(1);
  await rig.until(async () => ((await rig.deliveriesOf(endpoint))[0]?.attempts ?? 0) > 0, 1);
  const [delivery] = await rig.deliveriesOf(endpoint);
  expect(delivery).toMatchObject({ state: "pending", lastStatus: null });
  expect(delivery?.lastError).toMatch(/^REQUEST_REFUSED: (address|url|scheme|credentials)$/);
  expect(consumer.requests).toEqual([]);
  const warnings = rig.lines.filter(({ level }) => level === "warn");
  expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining("outgoing-requests.md")]);
  expect(inspect(rig.lines)).not.toContain("password");
});

test("a name is judged at each attempt, though a connection to where it led before is open", async () => {
  const consumer = await startConsumer();
  let address = "127.0.0.1";
  const rig = await DeliveryRig.open({
    allowedHosts: [`127.0.0.1:${consumer.port}`],
    resolve: async () => [address],
  });
  const endpoint = await rig.addEndpoint(`http://rebound.example:${consumer.port}/`);
  rig.deliveries.start();
  await rig.addCall(1);
  await rig.until(() => consumer.accepted.length === 1);
  await rig.until(() => rig.deliveries.status().endpoints[0]?.connections === 1, 1);
  for (const refused of ["169.254.169.254", "10.0.0.1", "::ffff:127.0.0.2", "fe80::1%eth0"]) {
    address = refused;
    const callId = await rig.addCall(1);
    const ofCall = async () =>
      (await rig.deliveriesOf(endpoint)).find((delivery) => delivery.callId === callId);
    await rig.until(async () => ((await ofCall())?.attempts ?? 0) > 0, 1);
    expect((await ofCall())?.lastError).toBe("REQUEST_REFUSED: address");
  }
  expect(consumer.requests).toHaveLength(1);
});
