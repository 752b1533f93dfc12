// What stands in the side panel, and where the focus returns when it closes.
import { signal } from "@preact/signals";
import type { PassageRef } from "../api/types";

/** A passage as the panel needs it at once, before its surroundings are loaded. */
export type Cited = Pick<PassageRef, "number" | "passage_id" | "title" | "heading_path" | "lesson_id"> & {
  quote?: string;
  /** The answer's own block quote around the chip: what it took from the passage, word for word. */
  said?: string;
  /** The statement of the answer that the chip stands for. */
  claim?: string;
};

export type PanelView =
  { kind: "passage"; cited: Cited } | { kind: "lesson"; lessonId: string; heading: string | null; from: Cited | null };

export interface Preview {
  cited: Cited;
  anchor: HTMLElement;
}

export const panel = signal<PanelView | null>(null);
export const preview = signal<Preview | null>(null);

let opener: HTMLElement | null = null;
let fallback: string | null = null;

export function openPassage(cited: Cited, from: HTMLElement): void {
  opener = from;
  // The chip may be painted anew while the panel is open; then it is found again by what it shows.
  const message = from.closest<HTMLElement>("[data-entry]")?.dataset.entry;
  fallback = message ? `[data-entry="${message}"] [data-cite="${cited.number}"]` : null;
  preview.value = null;
  panel.value = { kind: "passage", cited };
}

export function openLesson(lessonId: string, heading: string | null, from: Cited | null): void {
  panel.value = { kind: "lesson", lessonId, heading, from };
}

export function closePanel(): void {
  if (!panel.value) return;
  panel.value = null;
  const target = opener?.isConnected ? opener : fallback ? document.querySelector<HTMLElement>(fallback) : null;
  opener = null;
  // After the sheet has released the page: an inert element takes no focus.
  requestAnimationFrame(() => {
    (target ?? document.getElementById("composer"))?.focus();
    // Coming back to a chip is no wish to see its preview.
    preview.value = null;
  });
}

/** Leaving the conversation closes the panel without moving the focus. */
export function dropPanel(): void {
  panel.value = null;
  preview.value = null;
  opener = null;
}
