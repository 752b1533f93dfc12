// A link that was mailed: what it is for and its token, read once from the address and taken out of it at once, so that
// neither the history nor a look over the shoulder keeps it.
import { signal } from "@preact/signals";

export interface MailedLink {
  purpose: "verify" | "reset";
  token: string;
}

export const mailed = signal<MailedLink | null>(null);

export function takeMailedLink(): void {
  const path = /^\/(verify|reset)\/?$/.exec(location.pathname);
  if (!path) return;
  const token = new URLSearchParams(location.search).get("token") ?? "";
  history.replaceState(null, "", "/#/");
  mailed.value = { purpose: path[1] as MailedLink["purpose"], token };
}

export function dropMailedLink(): void {
  mailed.value = null;
}
