// What a person has typed but not sent, and what was sent but not yet accepted: kept per person and
// thread, so that neither a reload, a lost network nor an expired session costs a sentence.
import type { AttachedPart } from "../api/types";
import { recall, remember } from "./storage";

/** A message on its way; the key makes sending it again harmless. */
export interface Outgoing {
  text: string;
  files: readonly AttachedPart[];
  key: string;
  createdAt: string;
}

let owner = "nobody";

export function setDraftOwner(userId: string): void {
  owner = userId;
}

export const drafts = {
  get: (place: string): string => recall<string>(`draft.${owner}.${place}`) ?? "",
  set: (place: string, text: string): void => remember(`draft.${owner}.${place}`, text),
};

/** Files that are sent already and wait for their message. */
export const draftFiles = {
  get: (place: string): AttachedPart[] => recall<AttachedPart[]>(`files.${owner}.${place}`) ?? [],
  set: (place: string, files: readonly AttachedPart[]): void =>
    remember(`files.${owner}.${place}`, files.length ? files : null),
};

export const outbox = {
  get: (place: string): Outgoing | null => recall<Outgoing>(`outbox.${owner}.${place}`),
  set: (place: string, message: Outgoing | null): void => remember(`outbox.${owner}.${place}`, message),
};
