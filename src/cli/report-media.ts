import type { GatewayStatus } from "../gateway/gateway.ts";
import type { Logger } from "../logger.ts";

/** Says which UDP ports media takes and which addresses calls announce, and when there are none or they lie behind a NAT. */
export function reportMedia(workers: GatewayStatus["media"]["workers"], logger: Logger): void {
  workers.forEach(({ port, addresses }, index) => {
    logger.info({ worker: index + 1, udpPort: port, addresses }, "media port");
  });
  const announced = workers.flatMap(({ addresses }) => addresses);
  if (announced.length === 0) {
    logger.warn({}, "this machine has no network address: no call can connect; start again when it has one");
    return;
  }
  if (!announced.every(isPrivateAddress)) return;
  logger.info(
    { setting: "MEDIA_PUBLIC_ADDRESS" },
    "calls announce a private address: WhatsApp's relay does not need a public one, but a strict firewall may",
  );
}

/** RFC 1918, RFC 6598 §7, RFC 3927 §2.1, loopback; and RFC 4193 §3.1, RFC 4291 §2.5.6, loopback of IPv6. */
const PRIVATE_IPV4 =
  /^(10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;
const PRIVATE_IPV6 = /^(f[cd]|fe[89ab]|::1$)/i;

function isPrivateAddress(address: string): boolean {
  return PRIVATE_IPV4.test(address) || PRIVATE_IPV6.test(address);
}
