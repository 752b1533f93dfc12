// The cards of calls that wait for a person: what the server says of them, and how far their answer is.
import type { Approval, ApprovalView } from "../api/types";

/** `answering`: said, but not yet confirmed by the server. */
export type CardState = "waiting" | "answering" | "approved" | "denied" | "expired" | "withdrawn";

export interface ApprovalCard {
  asked: Approval;
  state: CardState;
  /** Whether the person who looks may answer; null until the server has said so. */
  mine: boolean | null;
  approver: string;
  /** Whether other arguments were approved than those that were asked for. */
  edited: boolean;
  /** Why the last answer was not taken. */
  problems: string[];
}

export function newCard(asked: Approval): ApprovalCard {
  return { asked, state: "waiting", mine: null, approver: "asker", edited: false, problems: [] };
}

export function someWait(cards: ApprovalCard[]): boolean {
  return cards.some((card) => card.state === "waiting" || card.state === "answering");
}

/** What the server says of a card, whatever was thought of it before. */
export function seen(view: ApprovalView): Partial<ApprovalCard> {
  const { approval: asked, status, mine, approver, edited } = view;
  return { asked, mine, approver, edited: edited !== null, state: status === "pending" ? "waiting" : status };
}
