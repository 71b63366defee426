import { z } from "zod";
import type { CallerIdentity } from "./call-event.ts";
import { phoneNumberField, textField } from "./webhook-field.ts";

/** Most contacts looked at. There is one for each user of a batch. */
const MAX_CONTACTS = 1000;

/** One element of `contacts[]`. */
export interface Contact {
  readonly wa_id: string | null;
  readonly user_id: string | null;
  readonly parent_user_id: string | null;
  readonly profile: { readonly name: string | null; readonly username: string | null } | null;
}

const contactSchema: z.ZodType<Contact> = z.looseObject({
  wa_id: phoneNumberField,
  user_id: textField,
  parent_user_id: textField,
  profile: z.looseObject({ name: textField, username: textField }).nullable().catch(null),
});

/** What an element of `calls[]` or `statuses[]` itself says of the user. */
export interface StatedIdentity {
  readonly phoneNumber: string | null;
  readonly userId: string | null;
  readonly parentUserId: string | null;
}

/** The two ends of an element of `calls[]`, as Meta names them. */
export interface CallEnds {
  readonly from: string | null;
  readonly from_user_id: string | null;
  readonly from_parent_user_id: string | null;
  readonly to: string | null;
  readonly to_user_id: string | null;
  readonly to_parent_user_id: string | null;
}

/** Reads `contacts[]`; it may be absent, and elements that are no objects are left out. */
export function readContacts(list: readonly unknown[]): readonly Contact[] {
  return list.slice(0, MAX_CONTACTS).flatMap((element) => contactSchema.safeParse(element).data ?? []);
}

/**
 * Tells which end of a call is the user.
 *
 * The business's own number decides, because one of Meta's samples has `from` and `to` exchanged; the direction decides
 * where neither end is that number. Only users have user ids, so those are taken from whichever end has one.
 */
export function userOfCall(
  ends: CallEnds,
  businessNumber: string | null,
  isBusinessInitiated: boolean,
): StatedIdentity {
  const userId = ends.from_user_id ?? ends.to_user_id;
  const parentUserId = ends.from_parent_user_id ?? ends.to_parent_user_id;
  return { phoneNumber: userNumber(ends, businessNumber, isBusinessInitiated), userId, parentUserId };
}

/**
 * Completes what an element says of the user from `contacts[]`.
 *
 * @param isOnlyElement True when the batch holds one element; a single contact is then its user, even where the number is
 *   written differently (`wa_id` of some countries lacks or adds a digit) or withheld.
 */
export function identify(
  stated: StatedIdentity,
  contacts: readonly Contact[],
  isOnlyElement: boolean,
): CallerIdentity {
  const contact =
    contacts.find((each) => isContactOf(each, stated)) ??
    (isOnlyElement && contacts.length === 1 ? contacts[0] : undefined);
  return {
    phoneNumber: stated.phoneNumber ?? contact?.wa_id ?? null,
    userId: stated.userId ?? contact?.user_id ?? null,
    parentUserId: stated.parentUserId ?? contact?.parent_user_id ?? null,
    name: contact?.profile?.name ?? null,
    username: contact?.profile?.username ?? null,
  };
}

function userNumber(
  ends: CallEnds,
  businessNumber: string | null,
  isBusinessInitiated: boolean,
): string | null {
  if (businessNumber !== null) {
    if (ends.from === businessNumber) return ends.to;
    if (ends.to === businessNumber) return ends.from;
  }
  return isBusinessInitiated ? ends.to : ends.from;
}

function isContactOf(contact: Contact, stated: StatedIdentity): boolean {
  if (stated.userId !== null && contact.user_id === stated.userId) return true;
  return stated.phoneNumber !== null && contact.wa_id === stated.phoneNumber;
}
