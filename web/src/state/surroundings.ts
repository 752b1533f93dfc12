// What the page learns from the browser: network, width, theme, the passing minute.
import { effect, signal } from "@preact/signals";
import { recall, remember } from "./storage";

export const online = signal(true);
/** At 1200 px and more the panel stands beside the conversation; below it is a sheet. */
export const wide = signal(true);
/** Below 760 px the rail is a drawer. */
export const narrow = signal(false);
/** Moves once a minute, so that relative times stay true. */
export const now = signal(Date.now());

export type Theme = "system" | "light" | "dark";
export const theme = signal<Theme>("system");
export const railHidden = signal(false);
export const drawerOpen = signal(false);

export function observeSurroundings(): void {
  online.value = navigator.onLine;
  window.addEventListener("online", () => (online.value = true));
  window.addEventListener("offline", () => (online.value = false));
  watchMedia("(min-width: 1200px)", (matches) => (wide.value = matches));
  watchMedia("(max-width: 759px)", (matches) => (narrow.value = matches));
  window.setInterval(() => (now.value = Date.now()), 60_000);
  theme.value = recall<Theme>("theme") ?? "system";
  railHidden.value = recall<boolean>("railHidden") ?? false;
  effect(() => {
    remember("theme", theme.value === "system" ? null : theme.value);
    if (theme.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
  });
  effect(() => remember("railHidden", railHidden.value || null));
}

function watchMedia(query: string, tell: (matches: boolean) => void): void {
  const media = window.matchMedia(query);
  tell(media.matches);
  media.addEventListener("change", () => tell(media.matches));
}
