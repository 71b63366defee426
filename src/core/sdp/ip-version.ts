/** 4 or 6 for an IP address literal, null for anything else (host names, mDNS names, zones). */
export function ipVersion(address: string): 4 | 6 | null {
  if (isIpv4(address)) return 4;
  return isIpv6(address) ? 6 : null;
}

function isIpv4(address: string): boolean {
  const parts = address.length > 15 ? [] : address.split(".");
  return (
    parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
  );
}

function isIpv6(address: string): boolean {
  if (address.length > 45) return false;
  const halves = address.split("::");
  const [left = "", right] = halves;
  if (right === undefined) return countGroups(left, true) === 8;
  const groups = countGroups(left, false) + countGroups(right, true);
  // RFC 4291 §2.2: the double colon stands for one group of zeros at least.
  return halves.length === 2 && groups <= 7;
}

/** Number of 16-bit groups, NaN when one is malformed. An IPv4 tail counts as two. */
function countGroups(text: string, mayEndInIpv4: boolean): number {
  if (text === "") return 0;
  const groups = text.split(":");
  const last = groups.at(-1) ?? "";
  const hasIpv4 = mayEndInIpv4 && isIpv4(last);
  const isHex = (hasIpv4 ? groups.slice(0, -1) : groups).every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group));
  return isHex ? groups.length + (hasIpv4 ? 1 : 0) : Number.NaN;
}
