// What a tool's result says: our server writes {"said", "data", "note", "next"}; anything else is shown as it is.

export interface ToolResult {
  /** One sentence for the person. */
  said: string | null;
  /** What is worth a look besides; "" when there is nothing. */
  rest: string;
  /** What could follow, as the person would ask for it. */
  next: string[];
}

// A long result is cut and is JSON no more; its first member is whole all the same.
const FIRST_MEMBER = /^\{"said":("(?:[^"\\]|\\.)*")/;

export function readResult(result: string | null): ToolResult {
  const text = result ?? "";
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("said" in value) || typeof value.said !== "string") {
      return { said: null, rest: JSON.stringify(value, null, 2), next: [] };
    }
    const { said, data, next } = value as { said: string; data?: unknown; next?: unknown };
    const asked = Array.isArray(next) ? next.filter((item): item is string => typeof item === "string") : [];
    return { said, rest: data === undefined ? "" : JSON.stringify(data, null, 2), next: asked };
  } catch {
    const first = FIRST_MEMBER.exec(text)?.[1];
    return { said: first ? (JSON.parse(first) as string) : null, rest: text, next: [] };
  }
}

/** `search_lessons` → “Search lessons”. */
export function wordsOf(name: string): string {
  const spaced = name.replace(/[_.-]+/g, " ").trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
