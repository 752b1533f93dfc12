// The text of the composer is shared: starters, edited messages and lessons put words into it.
import { signal } from "@preact/signals";
import { drafts } from "../state/drafts";
import { focusComposer } from "./dom";

/** Grows with every text that was put in from outside. */
export const filled = signal(0);

export function fillComposer(place: string, text: string): void {
  drafts.set(place, text);
  filled.value += 1;
  requestAnimationFrame(focusComposer);
}
