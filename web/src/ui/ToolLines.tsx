// What the assistant did besides writing: one folded line per tool call, in order.
import type { ToolLine } from "../state/answer";

const STATES: Record<ToolLine["status"], string> = {
  running: "running",
  ok: "done",
  failed: "failed",
  unknown: "outcome not known",
};

export function ToolLines({ tools }: { tools: ToolLine[] }) {
  if (tools.length === 0) return null;
  return (
    <ul class="tools">
      {tools.map((tool) => (
        <li key={tool.callId}>
          <details class="tool" data-testid="tool-line" data-state={tool.status}>
            <summary>
              <span class="tool-name">{words(tool.name)}</span>
              <span class="tool-state">{STATES[tool.status]}</span>
            </summary>
            <Detail label="Given" value={tool.arguments} />
            {tool.status !== "running" && <Detail label="Result" value={tool.result} />}
          </details>
        </li>
      ))}
    </ul>
  );
}

function Detail({ label, value }: { label: string; value: string | null }) {
  const text = readable(value ?? "");
  if (text === "" || text === "null" || text === "{}") return null;
  return (
    <div class="tool-detail">
      <span>{label}</span>
      <pre tabIndex={0}>{text}</pre>
    </div>
  );
}

/** JSON with a line for each member; anything else as it is. */
function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** `search_lessons` → “Search lessons”. */
function words(name: string): string {
  const spaced = name.replace(/[_.-]+/g, " ").trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
