// One conversation on the screen: its rows, the way to its end, and the composer below.
import { useEffect, useRef } from "preact/hooks";
import type { Conversation } from "../state/conversation";
import type { Entry } from "../state/entries";
import { hrefOf } from "../state/route";
import { Answer } from "./Answer";
import { CitePreview } from "./CitePreview";
import { Composer } from "./Composer";
import { useDelayed } from "./dom";
import { EmptyState } from "./EmptyState";
import { Icon } from "./Icon";
import { useFollow } from "./useFollow";
import { UserMessage } from "./UserMessage";

export function Chat({ conversation }: { conversation: Conversation }) {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const follow = useFollow(scroller, content, conversation);
  const ready = conversation.state.value === "ready";
  const empty = ready && conversation.entries.value.length === 0;
  return (
    <div class="chat" data-testid="chat" data-thread={conversation.threadId.value ?? ""}>
      <div class="chat-scroll" ref={scroller} data-testid="chat-scroll">
        <div
          class="chat-column"
          ref={content}
          role="log"
          aria-live="off"
          aria-label="Conversation"
          aria-busy={conversation.live.value !== null}
        >
          {conversation.state.value === "loading" && <Waiting />}
          {conversation.state.value === "missing" && <Missing conversation={conversation} />}
          {conversation.state.value === "failed" && <Failed conversation={conversation} />}
          {empty && <EmptyState conversation={conversation} />}
          {ready && <Earlier conversation={conversation} scroller={scroller} />}
          {ready && conversation.entries.value.map((entry) => row(entry, conversation))}
        </div>
      </div>
      <div class="chat-foot">
        {!follow.atEnd.value && ready && (
          <button type="button" class="jump" onClick={follow.jump} data-testid="jump-to-latest">
            <Icon name="arrowDown" size={16} />
            Jump to latest
          </button>
        )}
        {ready && <Composer conversation={conversation} onSend={follow.jump} />}
      </div>
      <CitePreview />
    </div>
  );
}

function row(entry: Entry, conversation: Conversation) {
  return entry.kind === "user" ? (
    <UserMessage key={entry.key} entry={entry} conversation={conversation} />
  ) : (
    <Answer key={entry.key} entry={entry} conversation={conversation} />
  );
}

interface EarlierProps {
  conversation: Conversation;
  scroller: { current: HTMLDivElement | null };
}

/** Loads the page before; what was being read keeps its place. */
function Earlier({ conversation, scroller }: EarlierProps) {
  const cursor = conversation.older.value;
  const button = useRef<HTMLButtonElement>(null);
  const load = async (): Promise<void> => {
    const box = scroller.current;
    const fromEnd = box ? box.scrollHeight - box.scrollTop : 0;
    await conversation.loadOlder();
    requestAnimationFrame(() => box && (box.scrollTop = box.scrollHeight - fromEnd));
  };
  useEffect(() => {
    if (!button.current) return undefined;
    const observer = new IntersectionObserver((seen) => {
      const box = scroller.current;
      if (box && box.scrollTop > 0 && seen.some((item) => item.isIntersecting)) void load();
    });
    observer.observe(button.current);
    return () => observer.disconnect();
  }, [cursor]);
  if (!cursor) return null;
  return (
    <button ref={button} type="button" class="link earlier" onClick={() => void load()} data-testid="earlier-messages">
      Show earlier messages
    </button>
  );
}

function Waiting() {
  const late = useDelayed();
  if (!late) return null;
  return (
    <div class="chat-waiting" aria-busy="true" aria-label="Loading the conversation">
      {[46, 88, 94, 71].map((width) => (
        <div key={width} class="skeleton" style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

function Missing({ conversation }: { conversation: Conversation }) {
  return (
    <div class="notice" data-testid="thread-missing">
      <h1>This conversation isn’t here</h1>
      <p>It was deleted, or it belongs to someone else.</p>
      <a class="button" href={hrefOf({ name: "new", courseId: conversation.courseId })}>
        New conversation
      </a>
    </div>
  );
}

function Failed({ conversation }: { conversation: Conversation }) {
  return (
    <div class="notice" role="alert">
      <h1>The conversation could not be loaded</h1>
      <p>{conversation.problem.value} Nothing was lost.</p>
      <button type="button" class="button" onClick={() => void conversation.load()}>
        Try again
      </button>
    </div>
  );
}
