// What the person said: a quiet bubble, with its way back into the composer when it could not be sent.
import type { Conversation } from "../state/conversation";
import type { UserEntry } from "../state/entries";
import { drafts } from "../state/drafts";
import { now } from "../state/surroundings";
import { clockTime, relativeTime } from "../text/time";
import { useCopied } from "./dom";
import { SentFiles } from "./Files";
import { Icon } from "./Icon";
import { fillComposer } from "./composerText";

interface Props {
  entry: UserEntry;
  conversation: Conversation;
}

export function UserMessage({ entry, conversation }: Props) {
  const state = entry.state.value;
  return (
    <article
      class="turn user"
      aria-label="Your message"
      data-testid="message"
      data-role="user"
      data-state={state.status}
      data-entry={entry.key}
    >
      <div class="bubble" data-testid="message-text">
        {state.text}
      </div>
      <SentFiles files={state.files} />
      {state.status === "failed" ? (
        <NotSent entry={entry} conversation={conversation} />
      ) : (
        <UserActions entry={entry} conversation={conversation} />
      )}
    </article>
  );
}

function UserActions({ entry, conversation }: Props) {
  const [copied, copy] = useCopied();
  const { text, createdAt, status } = entry.state.value;
  if (status === "sending")
    return (
      <div class="actions">
        <span class="quiet">Sending…</span>
      </div>
    );
  return (
    <div class="actions reveal">
      <time dateTime={createdAt} title={clockTime(createdAt)}>
        {relativeTime(createdAt, now.value)}
      </time>
      <button
        type="button"
        class="icon-button small"
        onClick={() => copy(text)}
        data-testid="copy-message"
        aria-label={copied ? "Copied" : "Copy your message"}
        title="Copy"
      >
        <Icon name={copied ? "check" : "copy"} size={16} />
      </button>
      <button
        type="button"
        class="icon-button small"
        onClick={() => fillComposer(conversation.place.value, text)}
        aria-label="Edit and ask again"
        title="Edit and ask again"
        data-testid="edit-message"
      >
        <Icon name="edit" size={16} />
      </button>
    </div>
  );
}

function NotSent({ entry, conversation }: Props) {
  const { text, files, error } = entry.state.value;
  const takeBack = (): void => {
    conversation.discard(entry);
    const draft = drafts.get(conversation.place.value);
    conversation.tray.give(files);
    fillComposer(conversation.place.value, draft ? `${text}\n\n${draft}` : text);
  };
  return (
    <div class="problem" role="alert" data-testid="send-problem">
      <Icon name="warn" size={18} />
      <p>
        <strong>Not sent.</strong> {error} Your text is kept.
      </p>
      <div class="problem-actions">
        <button
          type="button"
          class="button small"
          disabled={conversation.live.value !== null}
          onClick={() => conversation.resend(entry)}
          data-testid="retry"
        >
          Send again
        </button>
        <button type="button" class="button small" onClick={takeBack} data-testid="take-back">
          Edit
        </button>
      </div>
    </div>
  );
}
