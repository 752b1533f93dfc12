// The closed union of run events, and the step from a server-sent frame to one of them.
import type { SseFrame } from "./sse";
import type { Approval, CitationPart, Effect, Message, PassageRef, RunError, ToolStatus, Undo, Usage } from "./types";

export interface RunStarted {
  type: "run.started";
  run_id: string;
  thread_id: string;
  message_id: string;
  assistant: { id: string; name: string };
  model: string | null;
}

export interface ThreadTitled {
  type: "thread.titled";
  thread_id: string;
  title: string;
}

export interface RetrievalFinished {
  type: "retrieval.finished";
  passages: PassageRef[];
  took_ms: number;
}

export interface TextDelta {
  type: "text.delta";
  text: string;
}

/** The next piece of what the model thinks aloud, before what it says or does next. */
export interface ReasoningDelta {
  type: "reasoning.delta";
  text: string;
}

export interface CitationAdded {
  type: "citation.added";
  citation: CitationPart;
}

export interface ToolCalled {
  type: "tool.called";
  call_id: string;
  name: string;
  arguments: string;
  effect?: Effect;
  /** What the model had asked for, where a person changed it. */
  asked?: string | null;
}

export interface ToolFinished {
  type: "tool.finished";
  call_id: string;
  name: string;
  status: ToolStatus;
  result: string | null;
  undo?: Undo | null;
}

/** The last of these ends the stream; it goes on once all are answered. */
export interface ApprovalRequested {
  type: "approval.requested";
  approval: Approval;
}

export interface ApprovalAnswered {
  type: "approval.answered";
  approval_id: string;
  call_id: string;
  decision: "approved" | "denied";
  reason: string | null;
}

export interface MessageCompleted {
  type: "message.completed";
  message: Message;
}

export interface AnswerRestarted {
  type: "answer.restarted";
  text: string;
  /** `taken_over` by another instance, or `resumed` after it had waited for a person. */
  reason: string;
}

export interface RunCompleted {
  type: "run.completed";
  run_id: string;
  usage: Usage;
}

export interface RunFailed {
  type: "run.failed";
  run_id: string;
  error: RunError;
}

export interface RunCancelled {
  type: "run.cancelled";
  run_id: string;
}

export type RunEvent =
  | RunStarted
  | ThreadTitled
  | RetrievalFinished
  | TextDelta
  | ReasoningDelta
  | CitationAdded
  | ToolCalled
  | ToolFinished
  | ApprovalRequested
  | ApprovalAnswered
  | MessageCompleted
  | AnswerRestarted
  | RunCompleted
  | RunFailed
  | RunCancelled;

const KNOWN: Record<RunEvent["type"], true> = {
  "run.started": true,
  "thread.titled": true,
  "retrieval.finished": true,
  "text.delta": true,
  "reasoning.delta": true,
  "citation.added": true,
  "tool.called": true,
  "tool.finished": true,
  "approval.requested": true,
  "approval.answered": true,
  "message.completed": true,
  "answer.restarted": true,
  "run.completed": true,
  "run.failed": true,
  "run.cancelled": true,
};

/** An event of a kind that this version does not know, or a broken frame, is null and is skipped. */
export function decodeEvent(frame: SseFrame): RunEvent | null {
  if (!Object.hasOwn(KNOWN, frame.event)) return null;
  try {
    const payload: unknown = JSON.parse(frame.data);
    if (typeof payload !== "object" || payload === null) return null;
    return { ...payload, type: frame.event } as RunEvent;
  } catch {
    return null;
  }
}

export function isTerminal(event: RunEvent): boolean {
  return event.type === "run.completed" || event.type === "run.failed" || event.type === "run.cancelled";
}
