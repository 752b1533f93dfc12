// A small card beside a citation chip, on hover and on focus. It can be hovered itself, and Esc closes it.
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { panel, preview } from "../state/panel";
import { wide } from "../state/surroundings";

const LINGER_MS = 180;
const GAP = 6;

export function CitePreview() {
  const card = useRef<HTMLDivElement>(null);
  const shown = preview.value;
  useLayoutEffect(() => {
    if (shown && card.current) place(card.current, shown.anchor);
  }, [shown]);
  useEffect(() => (shown ? dismissWhenLeft(shown.anchor, card.current) : undefined), [shown]);
  if (!shown || (panel.value && !wide.value)) return null;
  const { cited } = shown;
  const quote = cited.said || cited.quote;
  const path = cited.heading_path.filter((part) => part !== cited.title);
  return (
    <div class="cite-preview" ref={card} role="tooltip" id="cite-preview" data-testid="citation-preview">
      <strong>{cited.title}</strong>
      {path.length > 0 && <span class="cite-path">{path.join(" › ")}</span>}
      {quote && <q>{shorten(quote)}</q>}
    </div>
  );
}

function shorten(text: string): string {
  const flat = text.replace(/\s+/g, " ").trim();
  return flat.length > 220 ? `${flat.slice(0, 217).replace(/\s\S*$/, "")}…` : flat;
}

function place(card: HTMLElement, anchor: HTMLElement): void {
  const at = anchor.getBoundingClientRect();
  const { width, height } = card.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left + at.width / 2 - width / 2, window.innerWidth - width - 8));
  const above = at.top - height - GAP;
  card.style.left = `${left}px`;
  card.style.top = `${above > 8 ? above : at.bottom + GAP}px`;
}

function dismissWhenLeft(anchor: HTMLElement, card: HTMLElement | null): () => void {
  let timer = 0;
  const stay = (): void => window.clearTimeout(timer);
  const leave = (): void => {
    stay();
    timer = window.setTimeout(() => (preview.value = null), LINGER_MS);
  };
  const close = (): void => void (preview.value = null);
  anchor.setAttribute("aria-describedby", "cite-preview");
  for (const target of [anchor, card]) {
    target?.addEventListener("mouseenter", stay);
    target?.addEventListener("mouseleave", leave);
  }
  anchor.addEventListener("blur", close);
  window.addEventListener("scroll", close, { capture: true, passive: true });
  return () => {
    stay();
    anchor.removeAttribute("aria-describedby");
    for (const target of [anchor, card]) {
      target?.removeEventListener("mouseenter", stay);
      target?.removeEventListener("mouseleave", leave);
    }
    anchor.removeEventListener("blur", close);
    window.removeEventListener("scroll", close, { capture: true });
  };
}
