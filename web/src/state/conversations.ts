// Open conversations: an answer goes on while another conversation is looked at, and is found again.
import { effect, signal, untracked } from "@preact/signals";
import { isAbort } from "../api/client";
import { runs } from "../api/endpoints";
import { frames } from "../api/stream";
import type { LessonSummary } from "../api/types";
import { Conversation } from "./conversation";
import { pause } from "./follow";
import { go, route } from "./route";
import { changeThread } from "./threads";

const KEPT = 12;
const open = new Map<string, Conversation>();
const fresh = new Map<string, Conversation>();

/** The lesson that the next question is about, if the person chose one. */
export const subject = signal<Pick<LessonSummary, "course_id" | "title" | "path"> | null>(null);

export const conversation = signal<Conversation | null>(null);

/** Keeps `conversation` to the address. */
export function followRoute(): void {
  effect(() => {
    const here = route.value;
    untracked(() => {
      if (here.name === "thread") conversation.value = openThread(here.courseId, here.threadId);
      else conversation.value = here.name === "new" ? openNew(here.courseId) : null;
    });
  });
}

function openThread(courseId: string | null, threadId: string): Conversation {
  const known = open.get(threadId);
  if (known) return known;
  const made = new Conversation(courseId, threadId, () => undefined);
  open.set(threadId, made);
  for (const [id, old] of open) {
    if (open.size <= KEPT) break;
    if (!old.live.peek() && id !== threadId) open.delete(id);
  }
  return made;
}

function openNew(courseId: string | null): Conversation {
  const place = courseId ?? "general";
  const known = fresh.get(place);
  if (known) return known;
  const made = new Conversation(courseId, null, (self, thread) => {
    open.set(thread.id, self);
    fresh.delete(place);
    const here = route.peek();
    if (here.name === "new" && here.courseId === courseId) go({ name: "thread", courseId, threadId: thread.id }, true);
  });
  fresh.set(place, made);
  return made;
}

/** The live feed brings better titles. It rests while the page is hidden: browsers allow few connections. */
export function followFeed(): void {
  let controller: AbortController | null = null;
  const adjust = (): void => {
    if (document.hidden) {
      controller?.abort();
      controller = null;
    } else if (!controller) {
      controller = new AbortController();
      void listen(controller.signal);
    }
  };
  document.addEventListener("visibilitychange", adjust);
  adjust();
}

async function listen(signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      const response = await runs.feed(signal);
      for await (const frame of frames(response, signal)) {
        failures = 0;
        if (frame.event !== "thread.titled") continue;
        const { thread_id: id, title } = JSON.parse(frame.data) as { thread_id: string; title: string };
        changeThread(id, { title });
      }
    } catch (error) {
      if (isAbort(error)) return;
    }
    await pause(Math.min(30_000, 1_000 * 2 ** Math.min(failures, 5)), signal);
  }
}
