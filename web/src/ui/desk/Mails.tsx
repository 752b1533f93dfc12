// The outbox, for site admins: what was sent, what waits, and what is kept to be passed on where there is no mail server.
import { useEffect, useState } from "preact/hooks";
import { messageOf } from "../../api/client";
import { mails, type MailState, type MailView } from "../../api/people";
import { clockTime } from "../../text/time";
import { Icon } from "../Icon";
import { Loading } from "../Loading";
import { usePages } from "../usePages";
import { More } from "./More";

const STATES: Record<MailState, string> = { waiting: "Waiting", sent: "Sent", kept: "Kept here", failed: "Not sent" };

export function Mails() {
  const [state, setState] = useState("");
  const { items, problem, more, again } = usePages((after) => mails.list(state, after), state);
  return (
    <>
      <p class="manage-lead">A mail can be read here until it is sent, or until its link has run out.</p>
      <div class="people-search">
        <select aria-label="State" value={state} onChange={(event) => setState(event.currentTarget.value)} data-testid="mail-state">
          <option value="">All of them</option>
          {Object.entries(STATES).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </div>
      {(!items || problem) && <Loading what="The outbox" problem={problem} again={again} />}
      {items?.length === 0 && <p class="quiet">Nothing is found.</p>}
      <ul class="rows" data-testid="mails">
        {items?.map((each) => (
          <Row key={each.id} mail={each} />
        ))}
      </ul>
      <More more={more} />
    </>
  );
}

function Row({ mail }: { mail: MailView }) {
  const [open, setOpen] = useState(false);
  return (
    <li data-testid="mail" data-to={mail.recipient}>
      <button type="button" class="row-link source-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class="row-text">
          <span class="row-title" dir="auto">
            {mail.subject}
          </span>
          <span class="row-detail">
            {mail.recipient} · {clockTime(mail.sent_at ?? mail.created_at)}
          </span>
        </span>
        <span class={mail.state === "failed" ? "health health-bad" : "person-role"}>{STATES[mail.state]}</span>
        <Icon name="chevron" size={18} />
      </button>
      {open && <Inside mail={mail} />}
    </li>
  );
}

function Inside({ mail }: { mail: MailView }) {
  const [body, setBody] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const read = (): void => {
    setProblem(null);
    mails.body(mail.id).then(setBody, (error) => setProblem(messageOf(error)));
  };
  useEffect(read, [mail.id]);
  return (
    <div class="source-inside">
      {mail.error && <p class="field-problem">{mail.error}</p>}
      {body === null ? (
        <Loading what="The mail" problem={problem} again={read} />
      ) : (
        <p class="mail-body" dir="auto" data-testid="mail-body">
          {body || "It is sent, so what it said is not kept."}
        </p>
      )}
    </div>
  );
}
