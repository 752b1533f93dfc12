// What the assistant did besides writing: one line per tool call, in order, which unfolds; and what can be done about
// it: take it back, or have a look whether it took effect.
import { useState } from "preact/hooks";
import type { ToolLine } from "../state/answer";
import { takeBack } from "../state/confirming";
import type { Conversation } from "../state/conversation";
import type { AnswerEntry } from "../state/entries";
import { readResult, wordsOf } from "../text/results";
import { Exact, JsonText } from "./Exact";

const STATES: Record<ToolLine["status"], string> = {
  running: "running",
  ok: "done",
  failed: "failed",
  denied: "not done",
  unknown: "it is not known whether this took effect",
};

interface Props {
  entry: AnswerEntry;
  conversation: Conversation;
}

export function ToolLines({ entry, conversation }: Props) {
  const { tools, messageId } = entry.state.value;
  if (tools.length === 0) return null;
  return (
    <ul class="tools">
      {tools.map((tool) => (
        <li key={tool.callId} class="tool-row">
          <Line tool={tool} />
          {tool.status === "unknown" && <Check tool={tool} conversation={conversation} />}
          {tool.undo && messageId && <TakeBack entry={entry} tool={tool} messageId={messageId} />}
        </li>
      ))}
    </ul>
  );
}

function Line({ tool }: { tool: ToolLine }) {
  const { said, rest } = readResult(tool.result);
  const spoken = tool.status === "ok" ? said : null;
  return (
    <details class="tool" data-testid="tool-line" data-state={tool.status} data-tool={tool.name}>
      <summary>
        <bdi class="tool-name">
          <Exact text={spoken ?? wordsOf(tool.name)} />
        </bdi>
        {spoken === null && <span class="tool-state">{STATES[tool.status]}</span>}
      </summary>
      <Detail label={spoken === null ? "Given" : `Given to “${wordsOf(tool.name)}”`} value={readable(tool.arguments)} />
      {tool.asked && <Detail label="Asked for, before it was changed" value={readable(tool.asked)} />}
      {tool.status !== "running" && <Detail label="Result" value={spoken === null && said ? said : rest} />}
    </details>
  );
}

function Detail({ label, value }: { label: string; value: string }) {
  if (value === "" || value === "null" || value === "{}") return null;
  return (
    <div class="tool-detail">
      <span>{label}</span>
      <JsonText json={value} />
    </div>
  );
}

function Check({ tool, conversation }: { tool: ToolLine; conversation: Conversation }) {
  const ask = `Please check whether “${wordsOf(tool.name)}” took effect; only look, change nothing.`;
  return (
    <button
      type="button"
      class="button small"
      disabled={conversation.live.value !== null}
      title={ask}
      onClick={() => conversation.send(ask, null)}
      data-testid="check-outcome"
    >
      Check
    </button>
  );
}

function TakeBack({ entry, tool, messageId }: { entry: AnswerEntry; tool: ToolLine; messageId: string }) {
  const [busy, setBusy] = useState(false);
  if (tool.undone)
    return (
      <span class="quiet undone" data-testid="undone">
        Taken back
      </span>
    );
  const press = (): void => {
    setBusy(true);
    void takeBack(entry, messageId, tool.callId).finally(() => setBusy(false));
  };
  return (
    <button type="button" class="button small" disabled={busy} onClick={press} data-testid="undo">
      <Exact text={tool.undo?.label ?? ""} />
    </button>
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
