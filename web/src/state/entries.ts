// The rows of a conversation. Each holds its own signal, so that a growing answer repaints only itself.
import { signal, type Signal } from "@preact/signals";
import type { AttachedPart, Message } from "../api/types";
import { answerFromMessage, newAnswer, type AnswerState } from "./answer";
import type { Outgoing } from "./drafts";

export interface UserState {
  id: string | null;
  text: string;
  files: readonly AttachedPart[];
  status: "sending" | "complete" | "failed";
  error: string | null;
  createdAt: string;
}

export interface UserEntry {
  kind: "user";
  key: string;
  /** Sent as Idempotency-Key; the same for every attempt. */
  sendKey: string;
  state: Signal<UserState>;
}

export interface AnswerEntry {
  kind: "answer";
  key: string;
  state: Signal<AnswerState>;
  reconnecting: Signal<boolean>;
}

export type Entry = UserEntry | AnswerEntry;

let count = 0;

export function userEntry(message: Outgoing, status: UserState["status"], error: string | null = null): UserEntry {
  const { text, files, createdAt } = message;
  return {
    kind: "user",
    key: `u${++count}`,
    sendKey: message.key,
    state: signal<UserState>({ id: null, text, files: files ?? [], status, error, createdAt }),
  };
}

export function answerEntry(state: AnswerState): AnswerEntry {
  return { kind: "answer", key: `a${++count}`, state: signal(state), reconnecting: signal(false) };
}

export function entriesOf(messages: Message[], liveRunId: string | null): Entry[] {
  const entries: Entry[] = [];
  for (const message of messages) {
    if (message.role === "user") {
      entries.push(historicUser(message));
    } else if (message.run_id === null || message.run_id !== liveRunId) {
      entries.push(answerEntry(answerFromMessage(message)));
    }
  }
  if (entries.at(-1)?.kind === "user" && liveRunId === null) entries.push(interrupted(messages.at(-1)!));
  return entries;
}

function historicUser(message: Message): UserEntry {
  const { id, text, created_at: createdAt } = message;
  const files = message.parts.filter((part) => part.type === "attachment");
  const entry = userEntry({ text, files, key: id, createdAt }, "complete");
  entry.state.value = { ...entry.state.value, id };
  return entry;
}

/** A question without an answer and without a live run: its run died. */
function interrupted(question: Message): AnswerEntry {
  const error = { code: "interrupted", detail: "This answer was interrupted before any of it was kept.", retry: true };
  return answerEntry({ ...newAnswer(question.run_id, question.created_at), status: "failed", error });
}
