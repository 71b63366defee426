import type { ApiKeyRecord } from "../../../store/types.ts";
import type { Scope } from "../scopes.ts";

/** Who asks without a key. It has no scope. */
export const ANONYMOUS: ApiKeyRecord = standIn("anonymous", []);

/** Who asks with a signed URL: it may do the one thing that was signed. */
export function signedUrlKey(scope: Scope): ApiKeyRecord {
  return standIn("signed-url", [scope]);
}

function standIn(id: string, scopes: readonly Scope[]): ApiKeyRecord {
  return {
    id,
    name: id,
    secretHash: "",
    scopes,
    phoneNumberId: null,
    createdAt: 0,
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
  };
}
