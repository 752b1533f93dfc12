// One answer: who speaks, what was read, which tools ran, the text, and what can be done with it.
import { useMemo } from "preact/hooks";
import type { AnswerState } from "../state/answer";
import type { Conversation } from "../state/conversation";
import type { AnswerEntry } from "../state/entries";
import { openPassage, preview, type Cited } from "../state/panel";
import { now } from "../state/surroundings";
import { claimBefore } from "../text/claim";
import { clockTime, relativeTime } from "../text/time";
import { AnswerText } from "./AnswerText";
import { ApprovalCards } from "./ApprovalCard";
import { copyBlock, useCopied } from "./dom";
import { Icon, Mark } from "./Icon";
import { NextSteps } from "./NextSteps";
import { SourcesLine } from "./SourcesLine";
import { Thumbs } from "./Thumbs";
import { ToolLines } from "./ToolLines";

interface Props {
  entry: AnswerEntry;
  conversation: Conversation;
}

export function Answer({ entry, conversation }: Props) {
  const state = entry.state.value;
  const cited = useMemo(() => citedOf(state), [state.citations, state.passages]);
  const titles = useMemo(() => new Map([...cited].map(([n, item]) => [n, item.title])), [cited]);
  const streaming = state.status === "streaming";
  const name = state.assistant ?? conversation.assistant.value?.name ?? "Assistant";
  return (
    <article
      class="turn answer"
      aria-label={`Answer of ${name}`}
      aria-busy={streaming}
      data-testid="message"
      data-role="assistant"
      data-state={state.status}
      data-entry={entry.key}
      {...chipHandlers(cited)}
    >
      <header class="answer-head">
        <Mark size={20} />
        <span>{name}</span>
      </header>
      <SourcesLine state={state} cited={cited} />
      <ToolLines entry={entry} conversation={conversation} />
      <Thought state={state} />
      {streaming && state.text === "" && !state.thinking && <Dots reading={state.passages === null} />}
      <AnswerText text={state.text} cited={titles} growing={streaming} />
      <ApprovalCards entry={entry} />
      {entry.reconnecting.value && (
        <p class="quiet reconnecting" data-testid="reconnecting">
          The connection was lost. Coming back…
        </p>
      )}
      <Ending entry={entry} conversation={conversation} />
    </article>
  );
}

/** By number: citations of the answer, and before those arrive the passages that were read. */
function citedOf(state: AnswerState): Map<number, Cited> {
  const cited = new Map<number, Cited>();
  for (const passage of state.passages ?? []) cited.set(passage.number, passage);
  for (const citation of state.citations) cited.set(citation.number, citation);
  return cited;
}

function chipHandlers(cited: Map<number, Cited>) {
  const under = (event: Event): { chip: HTMLElement; item: Cited } | null => {
    const chip = (event.target as Element).closest<HTMLElement>("[data-cite]");
    const item = chip && cited.get(Number(chip.dataset.cite));
    return chip && item ? { chip, item: { ...item, said: quotedAround(chip), claim: claimBefore(chip) } } : null;
  };
  const show = (event: Event): void => {
    const hit = under(event);
    if (hit) preview.value = { cited: hit.item, anchor: hit.chip };
  };
  return {
    onMouseOver: show,
    onFocusIn: show,
    onClick: (event: Event) => {
      const hit = under(event);
      if (hit) openPassage(hit.item, hit.chip);
      const copy = (event.target as Element).closest<HTMLElement>("[data-copy]");
      if (copy) void copyBlock(copy);
    },
  };
}

/** The text of the block quote that a chip closes; a longer one says too little about where it ends. */
function quotedAround(chip: HTMLElement): string {
  const block = chip.closest("blockquote");
  if (!block || block.querySelectorAll("[data-cite]").length > 1) return "";
  const copy = block.cloneNode(true) as HTMLElement;
  for (const mark of copy.querySelectorAll("[data-cite]")) mark.remove();
  return (copy.textContent ?? "").replace(/[\s…]+$/, "").trim();
}

/** What the model has thought aloud: folded, for it is no part of the answer. */
function Thought({ state }: { state: AnswerState }) {
  if (state.thought === "") return null;
  const seconds = Math.round(state.thoughtFor);
  const length = seconds > 0 ? ` for ${seconds === 1 ? "1 second" : `${seconds} seconds`}` : "";
  return (
    <details class="tool thought" data-testid="thought" data-state={state.thinking ? "running" : "ok"}>
      <summary>{state.thinking ? "Thinking…" : `Thought${length}`}</summary>
      <p class="tool-detail thought-text">{state.thought}</p>
    </details>
  );
}

function Dots({ reading }: { reading: boolean }) {
  return (
    <p class="dots" data-testid="waiting">
      <span class="dot" />
      <span class="dot" />
      <span class="dot" />
      <span class="dots-text">{reading ? "Reading the course" : "Writing"}</span>
    </p>
  );
}

function Ending({ entry, conversation }: Props) {
  const { status } = entry.state.value;
  if (status === "streaming" || status === "waiting") return null;
  return (
    <>
      {status === "stopped" && (
        <p class="quiet ended" data-testid="stopped-note">
          {entry.state.value.text === "" ? "Stopped before a word was written." : "Stopped. What was written is kept."}
        </p>
      )}
      {status === "failed" && <Failure entry={entry} conversation={conversation} />}
      <CutShort entry={entry} conversation={conversation} />
      {status === "complete" && <NextSteps entry={entry} conversation={conversation} />}
      <AnswerActions entry={entry} conversation={conversation} />
    </>
  );
}

/** An answer that stops before its end, and why; one that only became too long can go on. */
function CutShort({ entry, conversation }: Props) {
  const { cut, status } = entry.state.value;
  if (cut === null || status !== "complete") return null;
  const last = conversation.entries.value.at(-1) === entry;
  return (
    <p class="quiet ended cut" data-testid="cut-note" data-reason={cut}>
      {cut === "length"
        ? "The answer stops here: it reached the longest that is allowed."
        : "The answer stops here: the model’s provider held back the rest."}
      {cut === "length" && last && (
        <button
          type="button"
          class="button small"
          disabled={conversation.live.value !== null}
          onClick={() => conversation.send("Continue.", null)}
          data-testid="continue"
        >
          Continue
        </button>
      )}
    </p>
  );
}

function Failure({ entry, conversation }: Props) {
  const { error, text } = entry.state.value;
  const lost = error?.code === "connection_lost";
  const canRetry = (error?.retry ?? true) && (lost || conversation.questionOf(entry) !== null);
  return (
    <div class="problem" role="alert" data-testid="answer-problem" data-code={error?.code}>
      <Icon name="warn" size={18} />
      <p>
        <strong>{lost ? "The connection was lost." : "The answer could not be finished."}</strong> {error?.detail}{" "}
        {text !== "" && !lost && "What was written is kept."}
      </p>
      {canRetry && (
        <div class="problem-actions">
          <button
            type="button"
            class="button small"
            disabled={conversation.live.value !== null}
            onClick={() => conversation.retry(entry)}
            data-testid="retry"
          >
            {lost ? "Reconnect" : "Ask again"}
          </button>
        </div>
      )}
    </div>
  );
}

function AnswerActions({ entry, conversation }: Props) {
  const [copied, copy] = useCopied();
  const { text, createdAt, status } = entry.state.value;
  const askable = status !== "failed" && conversation.questionOf(entry) !== null;
  return (
    <div class="actions reveal">
      {text !== "" && (
        <button
          type="button"
          class="icon-button small"
          onClick={() => copy(text)}
          title="Copy as Markdown"
          aria-label={copied ? "Copied" : "Copy the answer as Markdown"}
          data-testid="copy-answer"
        >
          <Icon name={copied ? "check" : "copy"} size={16} />
        </button>
      )}
      {askable && (
        <button
          type="button"
          class="icon-button small"
          disabled={conversation.live.value !== null}
          title="Ask again"
          aria-label="Ask again"
          onClick={() => conversation.retry(entry)}
          data-testid="ask-again"
        >
          <Icon name="retry" size={16} />
        </button>
      )}
      {status !== "failed" && <Thumbs entry={entry} />}
      <time dateTime={createdAt} title={clockTime(createdAt)}>
        {relativeTime(createdAt, now.value)}
      </time>
    </div>
  );
}
