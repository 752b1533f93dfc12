// The arguments of a call as a person reads and edits them: one field each, plain text where a plain text was given,
// JSON for everything else and for text with characters that would not show while it is edited.
import { visible, visibleJson } from "./visible";

/** What the server writes in place of a secret; who edits around it would send it as the secret. */
const CONCEALED = "•••";

export interface Field {
  name: string;
  value: unknown;
  kind: "text" | "json";
  /** What stands in its box at first. */
  draft: string;
}

/** null when the text is no JSON object, or has numbers that JavaScript would change. */
export function fieldsOf(json: string): Field[] | null {
  try {
    const value: unknown = JSON.parse(json, (_, item: unknown) => {
      if (typeof item === "number" && Math.abs(item) > Number.MAX_SAFE_INTEGER) throw new RangeError();
      return item;
    });
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    return Object.entries(value).map(([name, item]) => fieldOf(name, item));
  } catch {
    return null;
  }
}

function fieldOf(name: string, value: unknown): Field {
  if (typeof value === "string" && visible(value) === value) return { name, value, kind: "text", draft: value };
  return { name, value, kind: "json", draft: visibleJson(JSON.stringify(value, null, 2)) };
}

export function canEdit(json: string): boolean {
  return !json.includes(CONCEALED) && (fieldsOf(json)?.length ?? 0) > 0;
}

export type Edited = { problem: string } | { arguments: Record<string, unknown> | null };

/** What the boxes say by now; null when that is what was given. */
export function editedOf(fields: Field[], drafts: string[]): Edited {
  const given: [string, unknown][] = [];
  for (const [index, field] of fields.entries()) {
    const draft = drafts[index] ?? field.draft;
    if (field.kind === "text" || draft === field.draft) {
      given.push([field.name, field.kind === "text" ? draft : field.value]);
      continue;
    }
    try {
      given.push([field.name, JSON.parse(draft) as unknown]);
    } catch {
      return { problem: `${field.name}: this is not JSON. Put a text in quotation marks, as in "text".` };
    }
  }
  const changed = fields.some((field, index) => (drafts[index] ?? field.draft) !== field.draft);
  return { arguments: changed ? Object.fromEntries(given) : null };
}
