// Keys that work everywhere, and the list of them behind “?”.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { conversation } from "../state/conversations";
import { closePanel, panel, preview } from "../state/panel";
import { session } from "../state/session";
import { drawerOpen, narrow, railHidden } from "../state/surroundings";
import { focusComposer } from "./dom";
import { keepFocusInside } from "./focusTrap";
import { Icon } from "./Icon";
import { startThread } from "./Rail";

const helpOpen = signal(false);

export function listenForKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (session.value !== "in" || event.defaultPrevented || event.isComposing) return;
    if (event.key === "Escape") return escape(event);
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key.toLowerCase() === "k") act(event, searchThreads);
    else if (command && event.shiftKey && event.key.toLowerCase() === "o") act(event, startThread);
    else if (command || event.altKey || isTyping(event.target)) return;
    else if (event.key === "/") act(event, focusComposer);
    else if (event.key === "?") act(event, () => (helpOpen.value = true));
  });
}

function act(event: KeyboardEvent, run: () => void): void {
  event.preventDefault();
  run();
}

/** One layer per press: what lies on top goes first, and only with nothing open is the answer stopped. */
function escape(event: KeyboardEvent): void {
  const live = conversation.value?.live.value;
  if (helpOpen.value) helpOpen.value = false;
  else if (preview.value) preview.value = null;
  else if (panel.value) closePanel();
  else if (narrow.value && drawerOpen.value) drawerOpen.value = false;
  else if (live) void conversation.value?.stop();
  else return;
  event.preventDefault();
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

function searchThreads(): void {
  if (narrow.value) drawerOpen.value = true;
  else railHidden.value = false;
  const field = document.getElementById("thread-search");
  if (field) field.focus();
  else requestAnimationFrame(() => document.getElementById("thread-search")?.focus());
}

const KEYS: [string, string][] = [
  ["/", "Go to the question"],
  ["Enter", "Send"],
  ["Shift Enter", "New line"],
  ["Ctrl K", "Search conversations"],
  ["Ctrl Shift O", "New conversation"],
  ["Esc", "Close the panel, or stop the answer"],
  ["?", "This list"],
];

export function ShortcutHelp() {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!helpOpen.value) return undefined;
    const before = document.activeElement as HTMLElement | null;
    button.current?.focus();
    return () => before?.focus();
  }, [helpOpen.value]);
  if (!helpOpen.value) return null;
  return (
    <div class="overlay" onClick={(event) => event.target === event.currentTarget && (helpOpen.value = false)}>
      <div
        class="dialog"
        role="dialog"
        aria-modal="true"
        aria-labelledby="keys-title"
        data-testid="shortcut-help"
        onKeyDown={keepFocusInside}
      >
        <header class="dialog-head">
          <h2 id="keys-title">Keys</h2>
          <button
            ref={button}
            type="button"
            class="icon-button"
            aria-label="Close"
            onClick={() => (helpOpen.value = false)}
          >
            <Icon name="close" />
          </button>
        </header>
        <KeyList />
      </div>
    </div>
  );
}

function KeyList() {
  return (
    <dl class="keys">
      {KEYS.map(([key, meaning]) => (
        <div key={key}>
          <dt>
            {key.split(" ").map((part) => (
              <kbd key={part}>{part}</kbd>
            ))}
          </dt>
          <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  );
}
