// The list of conversations at the left: paged, searched where loaded, renamed, deleted with Undo.
import { computed, signal } from "@preact/signals";
import { messageOf } from "../api/client";
import { threads as api } from "../api/endpoints";
import type { Thread } from "../api/types";
import { courseId } from "./courses";
import { dismiss, toast } from "./notices";
import { go, route } from "./route";

export const threads = signal<Thread[] | null>(null);
export const nextPage = signal<string | null>(null);
export const threadsBusy = signal(false);
export const threadsError = signal<string | null>(null);
export const search = signal("");

const UNDO_MS = 7_000;
const doomed = new Map<string, number>();
let scope: string | null | undefined;

export const found = computed(() => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return threads.value ?? [];
  return (threads.value ?? []).filter((thread) => {
    const text = `${thread.title ?? ""} ${thread.preview ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
});

export function titleOf(thread: Thread): string {
  return thread.title || thread.preview || "New conversation";
}

/** Whether the thread in the list has a title already. */
export function titled(id: string): boolean {
  return !!threads.value?.find((item) => item.id === id)?.title;
}

export async function loadThreads(id: string | null): Promise<void> {
  scope = id;
  threads.value = null;
  nextPage.value = null;
  await loadPage(null);
}

export async function loadMoreThreads(): Promise<void> {
  if (nextPage.value && !threadsBusy.value) await loadPage(nextPage.value);
}

const SEARCHED_PAGES = 25;

/** Looks through older pages too, as far back as a search can be expected to remember. */
export async function searchFor(text: string): Promise<void> {
  search.value = text;
  for (let page = 0; page < SEARCHED_PAGES && search.value !== "" && nextPage.value && !threadsBusy.value; page++) {
    await loadPage(nextPage.value);
    if (threadsError.value) return;
  }
}

async function loadPage(after: string | null): Promise<void> {
  const wanted = scope ?? null;
  threadsBusy.value = true;
  threadsError.value = null;
  try {
    const page = await api.list(wanted, after);
    if (wanted !== scope) return;
    const fresh = page.items.filter((thread) => thread.course_id === wanted && !doomed.has(thread.id));
    const known = new Set(fresh.map((thread) => thread.id));
    threads.value = [...(threads.value ?? []).filter((thread) => !known.has(thread.id)), ...fresh].sort(newestFirst);
    nextPage.value = page.next;
  } catch (error) {
    if (wanted === scope) threadsError.value = messageOf(error);
  } finally {
    if (wanted === scope) threadsBusy.value = false;
  }
}

function newestFirst(a: Thread, b: Thread): number {
  return b.updated_at.localeCompare(a.updated_at);
}

export function putThread(thread: Thread): void {
  if (thread.course_id !== courseId.value || doomed.has(thread.id)) return;
  const others = (threads.value ?? []).filter((item) => item.id !== thread.id);
  threads.value = [thread, ...others].sort(newestFirst);
}

export function changeThread(id: string, change: Partial<Thread>): void {
  if (!threads.value?.some((item) => item.id === id)) return;
  threads.value = threads.value.map((item) => (item.id === id ? { ...item, ...change } : item)).sort(newestFirst);
}

export async function renameThread(thread: Thread, title: string): Promise<void> {
  const wanted = title.trim();
  if (wanted === "" || wanted === thread.title) return;
  changeThread(thread.id, { title: wanted });
  try {
    await api.rename(thread.id, wanted);
  } catch (error) {
    changeThread(thread.id, { title: thread.title });
    toast(`The name was not changed. ${messageOf(error)}`);
  }
}

/** Gone from the list at once, deleted on the server only when nobody pressed Undo. */
export function deleteThread(thread: Thread): void {
  threads.value = (threads.value ?? []).filter((item) => item.id !== thread.id);
  doomed.set(
    thread.id,
    window.setTimeout(() => void reallyDelete(thread), UNDO_MS),
  );
  const here = route.value;
  if (here.name === "thread" && here.threadId === thread.id) go({ name: "new", courseId: here.courseId });
  const id = toast("Conversation deleted.", {
    label: "Undo",
    run: () => {
      window.clearTimeout(doomed.get(thread.id));
      doomed.delete(thread.id);
      putThread(thread);
      dismiss(id);
    },
  });
}

async function reallyDelete(thread: Thread): Promise<void> {
  try {
    await api.remove(thread.id);
  } catch (error) {
    doomed.delete(thread.id);
    putThread(thread);
    toast(`The conversation was not deleted. ${messageOf(error)}`);
  }
}

/** A page that is left has no more Undo: what is doomed goes now. */
export function deleteOnLeave(): void {
  window.addEventListener("pagehide", () => {
    for (const [id, timer] of doomed) {
      window.clearTimeout(timer);
      void api.remove(id, true).catch(() => undefined);
    }
    doomed.clear();
  });
}
