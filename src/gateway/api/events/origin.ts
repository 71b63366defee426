import type { ApiContext } from "../context.ts";

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/**
 * Whether what connects may: programs, which send no origin; pages of the API's own public address; pages of this machine, when the
 * API is spoken to by a name of this machine, too; and those that are allowed by name. (RFC 6455, section 10.2.)
 */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  { publicUrl, allowedOrigins = [] }: Pick<ApiContext, "publicUrl" | "allowedOrigins">,
): boolean {
  if (origin === undefined) return true;
  if (publicUrl !== null && URL.canParse(publicUrl) && new URL(publicUrl).origin === origin) return true;
  if (allowedOrigins.includes(origin)) return true;
  return host !== undefined && LOOPBACK.test(host) && origin === `http://${host}`;
}
