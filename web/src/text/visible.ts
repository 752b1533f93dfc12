// Text that is judged by its looks: what does not show, or turns others around, is written out as ⟦U+202E⟧, as the
// server writes it in titles. In JSON it is escaped, which leaves the value the same.

// Format, control, private, unassigned and separator characters; letters and marks that are drawn as nothing.
const UNSEEN =
  /(?![\n\t])[\p{Cf}\p{Cc}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0d\u{e0100}-\u{e01ef}]/gu;

export const WRITTEN_OUT = /(⟦U\+[0-9A-F]{4,6}⟧)/;

export function visible(text: string): string {
  return text.replace(UNSEEN, (char) => `⟦U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}⟧`);
}

/** For JSON text only: an escape stands for the same character. */
export function visibleJson(json: string): string {
  return json.replace(UNSEEN, (char) =>
    Array.from({ length: char.length }, (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`).join(""),
  );
}
