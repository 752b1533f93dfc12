// A call that waits for a person. Everything on the card is the server's: what would happen, field by field, and the
// exact arguments. The two answers look alike; nothing is preselected.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Approval, ApprovalReply, Change } from "../api/types";
import type { ApprovalCard as Card } from "../state/cards";
import { look, reply } from "../state/confirming";
import type { AnswerEntry } from "../state/entries";
import { now } from "../state/surroundings";
import { canEdit, fieldsOf } from "../text/given";
import { untilTime } from "../text/time";
import { DenyForm, EditForm } from "./ApprovalForms";
import { focusComposer, hasTouch } from "./dom";
import { Exact, JsonText, Value } from "./Exact";
import { Icon } from "./Icon";

type Mode = "look" | "deny" | "edit";

const EFFECTS: Record<Approval["effect"], string> = {
  reads: "This looks something up.",
  writes: "This changes something.",
  destroys: "This removes something.",
};

const ENDS: Partial<Record<Card["state"], string>> = {
  approved: "Approved.",
  denied: "Denied. Nothing is done.",
  expired: "Nobody answered in time. Nothing was done.",
  withdrawn: "This is no longer asked. Nothing was done.",
};

const APPROVERS: Record<string, string> = {
  asker: "whoever asked",
  teacher: "a teacher",
  organization_admin: "an administrator of the organization",
};

function other(approver: string): string {
  return APPROVERS[approver] ?? approver;
}

export function ApprovalCards({ entry }: { entry: AnswerEntry }) {
  const cards = entry.state.value.approvals;
  if (cards.length === 0) return null;
  return (
    <div class="approvals">
      {cards.map((card) => (
        <WaitingCard
          key={card.asked.id}
          card={card}
          onLook={() => look(entry, card.asked.id)}
          onReply={(said) => reply(entry, card, said)}
        />
      ))}
    </div>
  );
}

type Said = Omit<ApprovalReply, "hash">;

interface CardProps {
  card: Card;
  /** Asks the server how it stands. */
  onLook: () => Promise<void>;
  onReply: (said: Said) => Promise<void>;
}

/** What waits for a yes; or for the page that offered it, which nobody can stand in for. */
export function WaitingCard(props: CardProps) {
  return props.card.asked.wants === "yes" ? <ApprovalCard {...props} /> : <PageCard {...props} />;
}

const PAGE_ENDS: Partial<Record<Card["state"], string>> = {
  approved: "The page has answered.",
  denied: "Cancelled. Nothing is done.",
};

function PageCard({ card, onLook, onReply }: CardProps) {
  const { asked, state } = card;
  const box = useCardFocus(state);
  useEffect(() => void onLook(), [asked.id]);
  const open = state === "waiting" || state === "answering";
  const questions = asked.wants === "answers";
  return (
    <section
      ref={box}
      class="approval"
      tabIndex={-1}
      aria-labelledby={`${asked.id}-title`}
      data-testid="page-call"
      data-state={state}
    >
      <p class="approval-eyebrow">
        <Icon name="tools" size={16} />
        {questions ? "The assistant asks something." : "The page does this."}
      </p>
      <p class="approval-title" id={`${asked.id}-title`}>
        {open ? "Waits for the page that offered it" : (PAGE_ENDS[state] ?? ENDS[state])}
      </p>
      <Arguments head={questions ? "What is asked:" : "What the page is to do:"} name={asked.name} json={asked.arguments} />
      <Problems problems={card.problems} />
      {open && (
        <>
          <p class="quiet">Go on in the page or application where you asked this. Here you can only cancel it.</p>
          <div class="approval-foot">
            {card.mine !== false && (
              <div class="approval-buttons">
                <button
                  type="button"
                  class="button"
                  disabled={state === "answering" || card.mine === null}
                  onClick={() => void onReply(denial(""))}
                  data-testid="page-call-cancel"
                >
                  Cancel
                </button>
              </div>
            )}
            <Until card={card} />
          </div>
        </>
      )}
    </section>
  );
}

function Until({ card }: { card: Card }) {
  return (
    <p class="quiet approval-until" data-testid="approval-until">
      Waits until <time dateTime={card.asked.expires_at}>{untilTime(card.asked.expires_at, now.value)}</time>
    </p>
  );
}

function ApprovalCard({ card, onLook, onReply }: CardProps) {
  const { asked, state } = card;
  const [mode, setMode] = useState<Mode>("look");
  const box = useCardFocus(state);
  useEffect(() => void onLook(), [asked.id]);
  const open = state === "waiting" || state === "answering";
  const editing = open && mode === "edit";
  return (
    <section
      ref={box}
      class="approval"
      tabIndex={-1}
      aria-labelledby={`${asked.id}-title`}
      data-testid="approval"
      data-state={state}
      data-effect={asked.effect}
    >
      <p class="approval-eyebrow">
        <Icon name={asked.effect === "destroys" ? "warn" : "edit"} size={16} />
        {EFFECTS[asked.effect]} {open && `Waits for ${card.mine === false ? other(card.approver) : "your answer"}.`}
      </p>
      <p class="approval-title" id={`${asked.id}-title`} dir="auto" data-testid="approval-title">
        <Exact text={asked.title} />
      </p>
      <Changes changes={asked.changes} />
      {!editing && <Arguments head="Exactly this is carried out:" name={asked.name} json={asked.arguments} />}
      <Notes notes={asked.notes} />
      <Problems problems={card.problems} />
      {open ? <Foot card={card} mode={mode} setMode={setMode} onReply={onReply} /> : <p>{ENDS[state]}</p>}
    </section>
  );
}

/** Comes to a card when it appears, stays with it while it is answered, and goes on to the next or to the composer. */
function useCardFocus(state: Card["state"]) {
  const box = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const card = box.current;
    if (card && mayTakeFocus()) focusCard(card);
    return () => {
      if (card?.contains(document.activeElement)) requestAnimationFrame(focusNext);
    };
  }, []);
  useLayoutEffect(() => {
    if (state === "waiting") return;
    const focused = document.activeElement;
    if (focused !== document.body && !box.current?.contains(focused)) return;
    // The buttons are about to lose it; a field that is written in keeps it.
    if (state === "answering") return focused instanceof HTMLTextAreaElement ? undefined : box.current?.focus();
    const next = document.querySelector<HTMLElement>(".approval[data-state=waiting]") ?? box.current;
    if (next) focusCard(next);
  }, [state]);
  return box;
}

/** Not from a sentence that somebody is writing, nor from another card. */
function mayTakeFocus(): boolean {
  const focused = document.activeElement;
  const writing = focused instanceof HTMLTextAreaElement || focused instanceof HTMLInputElement;
  return !focused?.closest(".approval") && !(writing && focused.value !== "");
}

/** A card that is higher than the window is read from its top: nobody answers what they have not passed. */
function focusCard(card: HTMLElement): void {
  card.focus({ preventScroll: true });
  const height = card.closest(".chat-scroll")?.clientHeight ?? window.innerHeight;
  const show = (): void => card.scrollIntoView({ block: card.offsetHeight > height ? "start" : "nearest" });
  // After the conversation has gone to its new end.
  requestAnimationFrame(() => requestAnimationFrame(show));
}

function focusNext(): void {
  if (document.activeElement !== document.body) return;
  const next = document.querySelector<HTMLElement>(".approval[data-state=waiting]");
  if (next) focusCard(next);
  else if (!hasTouch()) focusComposer();
}

function Changes({ changes }: { changes: Change[] }) {
  if (changes.length === 0) return null;
  return (
    <table class="changes" data-testid="approval-changes">
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {changes.map((change) => (
          <tr key={change.field}>
            <th scope="row">
              <Exact text={change.field} />
            </th>
            <td class="change-before" data-label="Before">
              <Value value={change.before} />
            </td>
            <td class="change-after" data-label="After">
              <Value value={change.after} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Arguments({ head, name, json }: { head: string; name: string; json: string }) {
  const fields = fieldsOf(json);
  return (
    <div class="given" data-testid="approval-arguments">
      <p class="given-head">
        {head} <code>{name}</code>
      </p>
      {fields ? (
        <dl>
          {fields.map((field) => (
            <div key={field.name}>
              <dt>
                <Exact text={field.name} />
              </dt>
              <dd>
                <Value value={field.value} />
              </dd>
            </div>
          ))}
        </dl>
      ) : (
        <JsonText json={json} />
      )}
    </div>
  );
}

function Notes({ notes }: { notes: string[] }) {
  if (notes.length === 0) return null;
  return (
    <ul class="approval-notes" data-testid="approval-notes">
      {notes.map((note) => (
        <li key={note} dir="auto">
          <Exact text={note} />
        </li>
      ))}
    </ul>
  );
}

function Problems({ problems }: { problems: string[] }) {
  if (problems.length === 0) return null;
  return (
    <div class="approval-problem" role="alert" data-testid="approval-problem">
      {problems.map((problem) => (
        <p key={problem}>{problem}</p>
      ))}
    </div>
  );
}

interface FootProps {
  card: Card;
  mode: Mode;
  setMode: (mode: Mode) => void;
  onReply: (said: Said) => Promise<void>;
}

function Foot({ card, mode, setMode, onReply }: FootProps) {
  const back = (): void => setMode("look");
  const busy = card.state === "answering";
  if (card.mine !== false && mode === "deny")
    return <DenyForm busy={busy} onBack={back} onDeny={(reason) => void onReply(denial(reason)).finally(back)} />;
  if (card.mine !== false && mode === "edit")
    return (
      <EditForm
        key={card.asked.hash}
        json={card.asked.arguments}
        busy={busy}
        onBack={back}
        onApprove={(given) => void onReply({ decision: "approve", ...(given && { arguments: given }) })}
      />
    );
  return (
    <div class="approval-foot">
      {card.mine !== false && (
        <Buttons card={card} setMode={setMode} onApprove={() => void onReply({ decision: "approve" })} />
      )}
      <Until card={card} />
    </div>
  );
}

function denial(reason: string) {
  return { decision: "deny" as const, ...(reason !== "" && { reason }) };
}

interface ButtonsProps {
  card: Card;
  setMode: (mode: Mode) => void;
  onApprove: () => void;
}

function Buttons({ card, setMode, onApprove }: ButtonsProps) {
  // Until the server has said who may answer, nobody can.
  const disabled = card.state === "answering" || card.mine === null;
  return (
    <div class="approval-buttons">
      <button type="button" class="button approve" disabled={disabled} onClick={onApprove} data-testid="approve">
        Approve
      </button>
      <button type="button" class="button" disabled={disabled} onClick={() => setMode("deny")} data-testid="deny">
        Deny
      </button>
      {canEdit(card.asked.arguments) && (
        <button
          type="button"
          class="button plain"
          disabled={disabled}
          onClick={() => setMode("edit")}
          data-testid="approval-edit"
        >
          Edit
        </button>
      )}
    </div>
  );
}
