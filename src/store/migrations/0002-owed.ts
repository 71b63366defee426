import type { Migration } from "./migration.ts";

/** What WhatsApp is still to be told of a call that has ended. */
export const owed: Migration = {
  version: 2,
  statements: ({ text }) => [
    `alter table calls add column owed ${text}`,
    "create index calls_owed on calls (node, id) where owed is not null",
  ],
};
