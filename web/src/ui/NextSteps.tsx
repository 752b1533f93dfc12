// What could follow, as the last tool suggests it: a press asks for it. Only under the newest answer.
import type { Conversation } from "../state/conversation";
import type { AnswerEntry } from "../state/entries";
import { readResult } from "../text/results";
import { Exact } from "./Exact";

const MOST = 4;

export function NextSteps({ entry, conversation }: { entry: AnswerEntry; conversation: Conversation }) {
  const last = entry.state.value.tools.at(-1);
  const newest = conversation.entries.value.at(-1) === entry;
  const steps = newest && last?.status === "ok" && !last.undone ? readResult(last.result).next.slice(0, MOST) : [];
  if (steps.length === 0) return null;
  return (
    <ul class="next-steps" aria-label="What could follow">
      {steps.map((step) => (
        <li key={step}>
          <button
            type="button"
            class="chip"
            disabled={conversation.live.value !== null}
            onClick={() => conversation.send(step, null)}
            data-testid="next-step"
          >
            <Exact text={step} />
          </button>
        </li>
      ))}
    </ul>
  );
}
