// Every call that waits for the person who looks, or for somebody with their role; each on its card, as in a conversation.
import { useState } from "preact/hooks";
import { approvals } from "../api/endpoints";
import type { ApprovalReply } from "../api/types";
import { newCard, seen, type ApprovalCard as Card } from "../state/cards";
import { outcomeOf, problemsOf } from "../state/confirming";
import { announce } from "../state/notices";
import { WaitingCard } from "./ApprovalCard";
import { Loading } from "./Loading";
import { everyPage, useLoaded } from "./useLoaded";

export function WaitingCalls() {
  const load = async (): Promise<Card[]> =>
    (await everyPage((after) => approvals.pending(after))).map((view) => ({ ...newCard(view.approval), ...seen(view) }));
  const { value, problem, again } = useLoaded(load, "");
  return (
    <>
      <p class="manage-lead">What assistants have been asked to do and may not do by themselves.</p>
      {!value && <Loading what="What waits" problem={problem} again={again} />}
      {value?.length === 0 && (
        <p class="quiet" data-testid="nothing-waits">
          Nothing waits for you.
        </p>
      )}
      <div class="approvals">
        {value?.map((card) => (
          <Waiting key={card.asked.id} first={card} />
        ))}
      </div>
      {value && (
        <button type="button" class="link" onClick={again} data-testid="look-again">
          Look again
        </button>
      )}
    </>
  );
}

function Waiting({ first }: { first: Card }) {
  const [card, setCard] = useState(first);
  const { id, hash } = card.asked;
  const look = async (): Promise<void> => {
    try {
      const view = await approvals.get(id);
      setCard((known) => (known.state === "answering" ? known : { ...known, ...seen(view) }));
    } catch {
      // It was listed a moment ago; whoever may not answer is told so when they do.
    }
  };
  const reply = async (said: Omit<ApprovalReply, "hash">): Promise<void> => {
    setCard({ ...card, state: "answering", problems: [] });
    try {
      const view = await approvals.answer(id, { ...said, hash });
      setCard({ ...card, problems: [], ...seen(view) });
      announce(outcomeOf(card, said.decision));
    } catch (error) {
      setCard({ ...card, state: "waiting", problems: problemsOf(error) });
      await look();
    }
  };
  return <WaitingCard card={card} onLook={look} onReply={reply} />;
}
