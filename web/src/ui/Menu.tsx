// A button with a menu: arrow keys, Home and End move, Esc and a click elsewhere close, focus returns.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./Icon";

export interface MenuItem {
  label: string;
  icon?: IconName;
  detail?: string;
  checked?: boolean;
  danger?: boolean;
  testId?: string;
  run: () => void;
}

interface MenuProps {
  label: string;
  class: string;
  items: MenuItem[];
  children: ComponentChildren;
  testId?: string;
  up?: boolean;
  /** The button shows text of its own and needs no other name. */
  named?: boolean;
}

export function Menu({ label, class: className, items, children, testId, up, named }: MenuProps) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const close = (refocus: boolean): void => {
    setOpen(false);
    if (refocus) root.current?.querySelector<HTMLElement>("button")?.focus();
  };
  useOutsideClick(root, open, () => setOpen(false));
  useEffect(() => {
    if (!open) return;
    const rows = root.current?.querySelectorAll<HTMLElement>("[role^=menuitem]");
    const checked = [...(rows ?? [])].find((row) => row.getAttribute("aria-checked") === "true");
    (checked ?? rows?.[0])?.focus();
  }, [open]);
  return (
    <div class="menu-root" ref={root} onKeyDown={(event) => steer(event, open, close)}>
      <button
        type="button"
        class={className}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={named ? undefined : label}
        onClick={() => setOpen(!open)}
        data-testid={testId}
      >
        {children}
      </button>
      {open && (
        <div class={up ? "menu menu-up" : "menu"} role="menu" aria-label={label}>
          {items.map((item) => (
            <Row key={item.label} item={item} close={close} />
          ))}
        </div>
      )}
    </div>
  );
}

function Row({ item, close }: { item: MenuItem; close: (refocus: boolean) => void }) {
  const radio = item.checked !== undefined;
  return (
    <button
      type="button"
      tabIndex={-1}
      class={item.danger ? "menu-item danger" : "menu-item"}
      role={radio ? "menuitemradio" : "menuitem"}
      aria-checked={radio ? item.checked : undefined}
      data-testid={item.testId}
      onClick={() => {
        close(true);
        item.run();
      }}
    >
      {item.icon && <Icon name={item.icon} size={18} />}
      <span class="menu-text">
        <span class="menu-label">{item.label}</span>
        {item.detail && <span class="menu-detail">{item.detail}</span>}
      </span>
      {item.checked && <Icon name="check" size={16} />}
    </button>
  );
}

function steer(event: KeyboardEvent, open: boolean, close: (refocus: boolean) => void): void {
  if (!open) return;
  const rows = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[role^=menuitem]")];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const to: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
  if (event.key === "Escape") {
    event.stopPropagation();
    close(true);
  } else if (event.key === "Tab") {
    close(false);
  } else if (event.key in to) {
    event.preventDefault();
    rows.at(to[event.key]! % rows.length)?.focus();
  }
}

function useOutsideClick(root: { current: HTMLElement | null }, active: boolean, then: () => void): void {
  useEffect(() => {
    if (!active) return undefined;
    const listen = (event: Event): void => {
      if (!root.current?.contains(event.target as Node)) then();
    };
    document.addEventListener("pointerdown", listen);
    return () => document.removeEventListener("pointerdown", listen);
  }, [active]);
}
