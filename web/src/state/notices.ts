// The one polite status region, and the toasts that speak through it.
import { signal } from "@preact/signals";

export interface Toast {
  id: number;
  text: string;
  action?: { label: string; run: () => void };
}

export const status = signal("");
export const toasts = signal<Toast[]>([]);

const TOAST_MS = 7_000;
let last = 0;

/** Said once to a screen reader; a repeated sentence is told apart by a trailing no-break space. */
export function announce(text: string): void {
  status.value = status.value === text ? `${text}\u00a0` : text;
}

export function toast(text: string, action?: Toast["action"]): number {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-2), { id, text, ...(action && { action }) }];
  announce(text);
  window.setTimeout(() => dismiss(id), TOAST_MS);
  return id;
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((item) => item.id !== id);
}
