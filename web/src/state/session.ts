// Who is signed in. An expired session keeps the page as it is and only asks to sign in again.
import { signal } from "@preact/signals";
import { ApiError, messageOf, onUnauthorized } from "../api/client";
import { about as fetchAbout, auth } from "../api/endpoints";
import type { About, Me, Named } from "../api/types";
import { setDraftOwner } from "./drafts";

export type SessionState = "loading" | "out" | "in" | "expired" | "unreachable";

export const session = signal<SessionState>("loading");
export const me = signal<Me | null>(null);
export const about = signal<About | null>(null);
/** The identity providers that people can sign in through. */
export const providers = signal<Named[]>([]);

export async function openSession(): Promise<void> {
  onUnauthorized(() => {
    if (session.value === "in") session.value = "expired";
  });
  void loadAbout();
  void loadProviders();
  await loadMe();
}

async function loadAbout(): Promise<void> {
  try {
    about.value = await fetchAbout();
  } catch (error) {
    // Only the footnote and the demo sign-ins depend on it.
    console.warn("about:", messageOf(error));
  }
}

async function loadProviders(): Promise<void> {
  try {
    providers.value = (await auth.providers()).items;
  } catch (error) {
    // The form is there all the same.
    console.warn("providers:", messageOf(error));
  }
}

let asked = 0;

/** The newest word counts: what was asked before a change may be answered after it. */
export async function loadMe(): Promise<void> {
  const mine = ++asked;
  try {
    const found = await auth.me();
    if (mine !== asked) return;
    // Another person at the same window must not find what the first one had open.
    if (me.value && me.value.user.id !== found.user.id) return location.reload();
    setDraftOwner(found.user.id);
    me.value = found;
    session.value = "in";
  } catch (error) {
    if (mine !== asked) return;
    const refused = error instanceof ApiError && error.status === 401;
    session.value = refused ? (me.value ? "expired" : "out") : "unreachable";
  }
}

/** Of one's own account the server has told something newer. */
export function takeMe(found: Me): void {
  asked += 1;
  me.value = found;
}

export async function signIn(email: string, password: string): Promise<void> {
  await auth.login(email, password);
  await loadMe();
}

export async function signUp(name: string, email: string, password: string): Promise<void> {
  await auth.signup(name, email, password);
  await loadMe();
}

export async function signOut(): Promise<void> {
  await auth.logout();
  beginAnew();
}

/** Who is signed in, or where they are, is another by now: nothing of what is open belongs to it. */
export function beginAnew(): void {
  // Not by location.hash: the page would hear of that, and may lead on to the last course before it is gone.
  history.replaceState(null, "", "#/");
  location.reload();
}
