// How an answer comes about on the screen: a pure fold of run events into one value.
// Nothing here knows of the network or the page, so that every order of events can be tested.
import type { RunEvent, ToolCalled, ToolFinished } from "../api/events";
import type {
  CitationPart,
  CutPart,
  Effect,
  FailurePart,
  Message,
  PassageRef,
  Rating,
  ReasoningPart,
  RunError,
  ToolPart,
  ToolStatus,
  Undo,
} from "../api/types";
import { newCard, someWait, type ApprovalCard } from "./cards";

/** `waiting`: for a person to say yes or no; nothing comes until all cards are answered. */
export type AnswerStatus = "streaming" | "waiting" | "complete" | "stopped" | "failed";

export interface ToolLine {
  callId: string;
  name: string;
  /** JSON as it was carried out, or as the model wrote it. */
  arguments: string;
  status: ToolStatus | "running";
  result: string | null;
  effect: Effect;
  /** What the model had asked for, where a person changed it. */
  asked: string | null;
  undo: Undo | null;
  undone: boolean;
}

export interface AnswerState {
  status: AnswerStatus;
  runId: string | null;
  messageId: string | null;
  assistant: string | null;
  text: string;
  /** What the model has thought aloud, and for how many seconds; 0 where nobody knows. */
  thought: string;
  thoughtFor: number;
  thinking: boolean;
  /** Why it stops before its end, if it does. */
  cut: CutPart["reason"] | null;
  citations: CitationPart[];
  /** null until the search has finished; then what was read, maybe nothing. */
  passages: PassageRef[] | null;
  tools: ToolLine[];
  /** Calls that wait for a person, in the order in which they were asked for. */
  approvals: ApprovalCard[];
  error: RunError | null;
  createdAt: string;
  rating: Rating | null;
  /** Id of the last event that was applied: `epoch.n`. */
  lastId: string | null;
}

const BETWEEN = "\n\n";

export function newAnswer(runId: string | null = null, createdAt = new Date().toISOString()): AnswerState {
  return {
    status: "streaming",
    runId,
    messageId: null,
    assistant: null,
    text: "",
    thought: "",
    thoughtFor: 0,
    thinking: false,
    cut: null,
    citations: [],
    passages: null,
    tools: [],
    approvals: [],
    error: null,
    createdAt,
    rating: null,
    lastId: null,
  };
}

export function answerFromMessage(message: Message, base = newAnswer(message.run_id)): AnswerState {
  const thoughts = message.parts.filter((part): part is ReasoningPart => part.type === "reasoning");
  const tools = message.parts.filter((part): part is ToolPart => part.type === "tool");
  const citations = message.parts.filter((part): part is CitationPart => part.type === "citation");
  return {
    ...base,
    status: statusOf(message),
    runId: message.run_id ?? base.runId,
    messageId: message.id,
    text: message.text,
    thought: thoughts.map((part) => part.text).join(BETWEEN),
    thoughtFor: thoughts.reduce((sum, part) => sum + (part.seconds ?? 0), 0),
    thinking: false,
    cut: message.parts.find((part): part is CutPart => part.type === "cut")?.reason ?? null,
    citations: citations.length > 0 ? citations : base.citations,
    tools: tools.length > 0 ? tools.map(toolOf) : base.tools,
    approvals: [],
    error: errorOf(message) ?? base.error,
    createdAt: message.created_at,
    rating: message.feedback?.rating ?? base.rating,
  };
}

function errorOf(message: Message): RunError | null {
  if (message.status !== "failed") return null;
  const part = message.parts.find((item): item is FailurePart => item.type === "failure");
  return part ? { code: part.code, detail: part.detail, retry: part.retry } : null;
}

function toolOf(part: ToolPart): ToolLine {
  const status = part.status ?? "called";
  return {
    ...toolLine(part.call_id, part.name, part.arguments, part.effect, part.asked),
    status: status === "called" ? "unknown" : status,
    result: part.result ?? null,
    undo: part.undo ?? null,
    undone: part.undone ?? false,
  };
}

function statusOf(message: Message): AnswerStatus {
  if (message.status === "complete") return "complete";
  return message.status === "partial" ? "stopped" : "failed";
}

/** Is `id` newer than `last`? Both are `epoch.n`; an id that cannot be read counts as new. */
export function isNewer(id: string, last: string | null): boolean {
  if (last === null) return true;
  const [epoch, n] = id.split(".").map(Number);
  const [lastEpoch, lastN] = last.split(".").map(Number);
  if ([epoch, n, lastEpoch, lastN].some((part) => part === undefined || Number.isNaN(part))) return true;
  return epoch! > lastEpoch! || (epoch === lastEpoch && n! > lastN!);
}

/** Apply one event; an event that was seen before changes nothing. */
export function applyEvent(state: AnswerState, id: string, event: RunEvent): AnswerState {
  if (id !== "" && !isNewer(id, state.lastId)) return state;
  return { ...fold(state, event), lastId: id || state.lastId };
}

function fold(state: AnswerState, event: RunEvent): AnswerState {
  switch (event.type) {
    case "run.started":
      return { ...state, runId: event.run_id, assistant: event.assistant.name };
    case "retrieval.finished":
      return { ...state, passages: event.passages };
    case "reasoning.delta":
      return { ...state, thought: grownThought(state) + event.text, thinking: true };
    case "text.delta":
      return { ...state, text: state.text + event.text, thinking: false };
    case "citation.added":
      return { ...state, citations: withCitation(state.citations, event.citation) };
    case "tool.called":
      return {
        ...state,
        thinking: false,
        tools: withTool(state.tools, calledLine(event)),
        approvals: without(state, event.call_id),
      };
    case "tool.finished":
      return { ...state, tools: finishTool(state.tools, event), approvals: without(state, event.call_id) };
    case "approval.requested": {
      const others = without(state, event.approval.call_id);
      return { ...state, status: "waiting", thinking: false, approvals: [...others, newCard(event.approval)] };
    }
    case "approval.answered":
      return withCard(state, event.approval_id, { state: event.decision });
    case "answer.restarted":
      return restart(state, event.text);
    case "message.completed":
      return { ...answerFromMessage(event.message, state), status: state.status, createdAt: state.createdAt };
    case "run.completed":
      return { ...state, status: "complete", approvals: [] };
    case "run.failed":
      return { ...state, status: "failed", error: event.error, approvals: [] };
    case "run.cancelled":
      return { ...state, status: "stopped", approvals: [] };
    case "thread.titled":
      return state;
    default:
      return unreachable(event);
  }
}

function grownThought({ thought, thinking }: AnswerState): string {
  return thinking || thought === "" ? thought : thought + BETWEEN;
}

/** Change one card; when none waits any more, the answer goes on. A card that is gone changes nothing. */
export function withCard(state: AnswerState, id: string, change: Partial<ApprovalCard>): AnswerState {
  if (!state.approvals.some((card) => card.asked.id === id)) return state;
  const approvals = state.approvals.map((card) => (card.asked.id === id ? { ...card, ...change } : card));
  const goesOn = state.status === "waiting" && !someWait(approvals);
  return { ...state, approvals, status: goesOn ? "streaming" : state.status };
}

function without(state: AnswerState, callId: string): ApprovalCard[] {
  return state.approvals.filter((card) => card.asked.call_id !== callId);
}

/** Another attempt took over: the half answer goes, finished tools stay, citations stay where still marked. */
function restart(state: AnswerState, text: string): AnswerState {
  return {
    ...state,
    status: "streaming",
    error: null,
    text,
    thought: "",
    thinking: false,
    citations: state.citations.filter((citation) => text.includes(`[${citation.number}]`)),
    tools: state.tools.filter((tool) => tool.status !== "running"),
  };
}

function withCitation(citations: CitationPart[], added: CitationPart): CitationPart[] {
  return [...citations.filter((citation) => citation.number !== added.number), added];
}

function toolLine(
  callId: string,
  name: string,
  args: string,
  effect: Effect = "reads",
  asked: string | null = null,
): ToolLine {
  const running = { status: "running", result: null, undo: null, undone: false } as const;
  return { callId, name, arguments: args, effect, asked, ...running };
}

function calledLine(event: ToolCalled): ToolLine {
  return toolLine(event.call_id, event.name, event.arguments, event.effect, event.asked);
}

function withTool(tools: ToolLine[], added: ToolLine): ToolLine[] {
  return [...tools.filter((tool) => tool.callId !== added.callId), added];
}

function finishTool(tools: ToolLine[], event: ToolFinished): ToolLine[] {
  const { call_id: callId, name, status, result, undo = null } = event;
  const known = tools.some((tool) => tool.callId === callId);
  const lines = known ? tools : [...tools, toolLine(callId, name, "")];
  return lines.map((tool) => (tool.callId === callId ? { ...tool, status, result, undo } : tool));
}

function unreachable(event: never): never {
  throw new Error(`Unknown event: ${JSON.stringify(event)}`);
}
