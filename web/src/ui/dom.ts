// Small dealings with the page that several components share.
import { useEffect, useState } from "preact/hooks";
import { toast } from "../state/notices";

/** Works without the clipboard API too, which browsers keep from plain http. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) toast("The browser did not allow copying.");
    return done;
  }
}

/** A label that says “Copied” for a moment. */
export function useCopied(): [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = window.setTimeout(() => setCopied(false), 1_600);
    return () => window.clearTimeout(timer);
  }, [copied]);
  return [copied, (text) => void copyText(text).then((done) => done && setCopied(true))];
}

/** True after `ms`: what is quick needs no skeleton. */
export function useDelayed(ms = 300): boolean {
  const [passed, setPassed] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setPassed(true), ms);
    return () => window.clearTimeout(timer);
  }, [ms]);
  return passed;
}

export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/markdown" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Does the person type with a finger? Then the focus is left alone, or the keyboard would cover half the page. */
export function hasTouch(): boolean {
  return window.matchMedia("(pointer: coarse)").matches;
}

export function focusComposer(): void {
  document.getElementById("composer")?.focus();
}

/** The code beside a copy button that stands in rendered Markdown. */
export async function copyBlock(button: HTMLElement): Promise<void> {
  const code = button.closest("figure")?.querySelector("code")?.textContent ?? "";
  if (!(await copyText(code.replace(/\n$/, "")))) return;
  button.textContent = "Copied";
  window.setTimeout(() => (button.textContent = "Copy"), 1_600);
}
