// What a person says to calls that wait for them, and how an answer learns that nothing waits any more: because it was
// answered here, in another window, or by somebody else. And taking back what was done.
import { ApiError, messageOf } from "../api/client";
import { approvals, messages } from "../api/endpoints";
import type { Approval, ApprovalReply } from "../api/types";
import { answerFromMessage, withCard } from "./answer";
import { seen, type ApprovalCard } from "./cards";
import type { AnswerEntry } from "./entries";
import { pause } from "./follow";
import { announce, toast } from "./notices";

const LOOK_MS = 8_000;

/** Ask the server how it stands with a card. */
export async function look(answer: AnswerEntry, id: string): Promise<void> {
  try {
    const view = await approvals.get(id);
    const card = answer.state.value.approvals.find((item) => item.asked.id === id);
    // An answer on its way will say how it stands.
    if (card && card.state !== "answering") put(answer, id, seen(view));
  } catch {
    // Whoever may not answer is told so when they do.
    put(answer, id, { mine: answer.state.value.approvals.find((item) => item.asked.id === id)?.mine ?? true });
  }
}

/** Say yes or no. What the server has against it is shown on the card. */
export async function reply(answer: AnswerEntry, card: ApprovalCard, said: Omit<ApprovalReply, "hash">): Promise<void> {
  const { id, hash } = card.asked;
  put(answer, id, { state: "answering", problems: [] });
  try {
    put(answer, id, seen(await approvals.answer(id, { ...said, hash })));
    announce(outcomeOf(card, said.decision));
  } catch (error) {
    put(answer, id, { state: "waiting", problems: problemsOf(error) });
    // Perhaps it has arrived all the same, was settled elsewhere, or is about something else by now.
    await look(answer, id);
  }
}

/** That a call waits, for those who hear it. */
export function waitingFor(asked: Approval): string {
  return asked.wants === "yes" ? `This waits for your answer: ${asked.title}` : "This waits for the page that offered it.";
}

/** What has become of a card, for those who hear it. */
export function outcomeOf(card: ApprovalCard, decision: ApprovalReply["decision"]): string {
  if (decision === "approve") return "Approved.";
  return card.asked.wants === "yes" ? "Denied. Nothing is done." : "Cancelled. Nothing is done.";
}

/** Returns once nothing waits any more, or when `signal` is aborted. */
export async function awaitAnswers(answer: AnswerEntry, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const end = (): void => over.abort();
  signal.addEventListener("abort", end);
  const release = answer.state.subscribe((state) => {
    if (state.status !== "waiting" || signal.aborted) end();
  });
  while (!over.signal.aborted) {
    await pause(LOOK_MS, over.signal);
    if (over.signal.aborted || document.hidden) continue;
    const open = answer.state.value.approvals.filter((card) => card.state === "waiting");
    await Promise.all(open.map((card) => look(answer, card.asked.id)));
  }
  release();
  signal.removeEventListener("abort", end);
}

/** Take back what one call did. */
export async function takeBack(answer: AnswerEntry, messageId: string, callId: string): Promise<void> {
  try {
    const message = await messages.undo(messageId, callId);
    answer.state.value = answerFromMessage(message, answer.state.value);
    announce("Taken back.");
  } catch (error) {
    if (error instanceof ApiError && error.code === "already_undone") markUndone(answer, callId);
    toast(`It was not taken back. ${messageOf(error)}`);
  }
}

function markUndone(answer: AnswerEntry, callId: string): void {
  const tools = answer.state.value.tools.map((tool) => (tool.callId === callId ? { ...tool, undone: true } : tool));
  answer.state.value = { ...answer.state.value, tools };
}

function put(answer: AnswerEntry, id: string, change: Partial<ApprovalCard>): void {
  answer.state.value = withCard(answer.state.value, id, change);
}

export function problemsOf(error: unknown): string[] {
  const fields = error instanceof ApiError ? error.fields : [];
  if (fields.length === 0) return [messageOf(error)];
  return fields.map(({ path, message }) => (path === "arguments" ? message : `${path}: ${message}`));
}
