// Where a question is written. Enter sends, Shift+Enter breaks the line; a word being composed by an
// input method is never sent.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Conversation } from "../state/conversation";
import { subject } from "../state/conversations";
import { drafts } from "../state/drafts";
import { announce } from "../state/notices";
import { about } from "../state/session";
import { online } from "../state/surroundings";
import type { ModelKind } from "../api/types";
import { filled } from "./composerText";
import { hasTouch } from "./dom";
import { AttachButton, DraftFiles } from "./Files";
import { Icon } from "./Icon";

interface Props {
  conversation: Conversation;
  onSend: () => void;
}

// Safari ends a composition before it reports the Enter that ended it.
const COMPOSITION_TAIL_MS = 60;

export function Composer({ conversation, onSend }: Props) {
  const { text, setText, write } = useDraft(conversation.place.value);
  const box = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => fit(box.current), [text]);
  useEffect(() => {
    if (!hasTouch()) box.current?.focus({ preventScroll: true });
  }, [conversation]);
  const send = (): void => {
    if (text.trim() === "") return;
    const live = conversation.live.value;
    if (live?.state.value.status === "waiting") return announce("Answer what is asked above, or stop it first.");
    if (live) return announce("Wait for the answer, or stop it first.");
    if (!online.value) return announce("You are offline. Your draft is kept.");
    if (conversation.tray.busy) return announce("Wait for the files, or remove them first.");
    const lesson = subject.value;
    conversation.send(text.trim(), lesson && { title: lesson.title, path: lesson.path });
    subject.value = null;
    setText("");
    onSend();
  };
  return (
    <div class="composer-frame">
      <form class="composer" onSubmit={(event) => (event.preventDefault(), send())} {...useDropped(conversation)}>
        <Subject />
        <DraftFiles tray={conversation.tray} />
        <div class="composer-row">
          <AttachButton tray={conversation.tray} />
          <QuestionBox box={box} text={text} write={write} send={send} inCourse={conversation.courseId !== null} />
          <SendOrStop conversation={conversation} empty={text.trim() === "" || conversation.tray.busy} />
        </div>
        <Note />
      </form>
    </div>
  );
}

/** Files that are dropped on the composer, or pasted into it. */
function useDropped({ tray }: Conversation) {
  const take = (event: Event, given: DataTransfer | null): void => {
    const files = [...(given?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    tray.add(files);
  };
  return {
    onDragOver: (event: DragEvent) => event.dataTransfer?.types.includes("Files") && event.preventDefault(),
    onDrop: (event: DragEvent) => take(event, event.dataTransfer),
    onPaste: (event: ClipboardEvent) => take(event, event.clipboardData),
  };
}

function useDraft(place: string) {
  const [text, setText] = useState(() => drafts.get(place));
  useEffect(() => setText(drafts.get(place)), [place, filled.value]);
  const write = (value: string): void => {
    setText(value);
    drafts.set(place, value);
  };
  return { text, setText, write };
}

interface BoxProps {
  box: { current: HTMLTextAreaElement | null };
  text: string;
  write: (text: string) => void;
  send: () => void;
  inCourse: boolean;
}

function QuestionBox({ box, text, write, send, inCourse }: BoxProps) {
  const enter = useEnter(send);
  return (
    <>
      <label class="visually-hidden" for="composer">
        Your question
      </label>
      <textarea
        id="composer"
        ref={box}
        rows={1}
        value={text}
        maxLength={32_000}
        data-testid="composer"
        placeholder={inCourse ? "Ask about the course" : "Ask a question"}
        aria-describedby="composer-note"
        {...enter}
        onInput={(event) => write(event.currentTarget.value)}
      />
    </>
  );
}

function Note() {
  return (
    <p class="composer-note" id="composer-note" data-testid="composer-note">
      {online.value ? note() : "No network: your draft is kept."}
    </p>
  );
}

function useEnter(send: () => void) {
  const composed = useRef(0);
  return {
    onCompositionEnd: () => (composed.current = Date.now()),
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== "Enter" || event.shiftKey || event.altKey) return;
      const composing = event.isComposing || event.keyCode === 229;
      if (composing || Date.now() - composed.current < COMPOSITION_TAIL_MS) return;
      event.preventDefault();
      send();
    },
  };
}

function SendOrStop({ conversation, empty }: { conversation: Conversation; empty: boolean }) {
  if (conversation.live.value) {
    const stopping = conversation.stopping.value;
    return (
      <button
        type="button"
        class="send stop"
        onClick={() => void conversation.stop()}
        disabled={stopping}
        aria-label={stopping ? "Stopping" : "Stop the answer"}
        title="Stop (Esc)"
        data-testid="stop"
      >
        <Icon name="stop" />
      </button>
    );
  }
  return (
    <button
      type="submit"
      class="send"
      disabled={empty || !online.value}
      aria-label="Send"
      title="Send (Enter)"
      data-testid="send"
    >
      <Icon name="send" />
    </button>
  );
}

function Subject() {
  if (!subject.value) return null;
  return (
    <div class="subject" data-testid="subject">
      <Icon name="book" size={16} />
      <span>About “{subject.value.title}”</span>
      <button
        type="button"
        class="icon-button small"
        aria-label="Ask about the whole course"
        onClick={() => (subject.value = null)}
      >
        <Icon name="close" size={14} />
      </button>
    </div>
  );
}

const CAUTION = "Answers can be wrong. Check the passages they cite.";

const NOTES: Record<ModelKind, string> = {
  offline: "Offline: quotes only, taken from the lessons.",
  scripted: "Scripted replies: a rehearsal without a language model.",
  openai: CAUTION,
  anthropic: CAUTION,
  compatible: CAUTION,
};

function note(): string {
  return (about.value && NOTES[about.value.model.kind]) || CAUTION;
}

/** Grows with the text up to two fifths of the window, then scrolls. */
function fit(box: HTMLTextAreaElement | null): void {
  if (!box) return;
  box.style.height = "auto";
  const limit = Math.round(window.innerHeight * 0.4);
  box.style.height = `${Math.min(box.scrollHeight, limit)}px`;
  box.style.overflowY = box.scrollHeight > limit ? "auto" : "hidden";
}
