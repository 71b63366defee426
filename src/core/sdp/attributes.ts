import type { Located, SdpLine } from "./sdp-document.ts";

/** The `a=` lines of one section by name, in order. A flag such as `a=rtcp-mux` has the value "". */
export type Attributes = ReadonlyMap<string, readonly Located<string>[]>;

export function collectAttributes(lines: readonly SdpLine[]): Attributes {
  const attributes = new Map<string, Located<string>[]>();
  for (const line of lines) {
    if (line.type !== "a") continue;
    const { name, value } = splitAttribute(line.value);
    const same = attributes.get(name);
    if (same === undefined) attributes.set(name, [{ value, line: line.line }]);
    else same.push({ value, line: line.line });
  }
  return attributes;
}

/** Splits `name:value`; without a colon the value is "". */
export function splitAttribute(text: string): { readonly name: string; readonly value: string } {
  const colon = text.indexOf(":");
  if (colon === -1) return { name: text.trim(), value: "" };
  return { name: text.slice(0, colon), value: text.slice(colon + 1).trim() };
}

/** The attribute's lines in the media section, or else in the session part (RFC 8866 §6, defaults). */
export function inheritedAttributes(
  session: Attributes,
  media: Attributes,
  name: string,
): readonly Located<string>[] {
  return media.get(name) ?? session.get(name) ?? [];
}
