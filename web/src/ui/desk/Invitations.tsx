// Places that are held for people who were written to: sent again with a new link, or taken back.
import { useState } from "preact/hooks";
import { invited, type InvitationState, type InvitationView } from "../../api/people";
import { courses } from "../../state/courses";
import { announce } from "../../state/notices";
import { MEMBER_ROLES } from "../../text/roles";
import { clockTime } from "../../text/time";
import { Icon } from "../Icon";
import { Loading, Problems } from "../Loading";
import { Sure } from "../Sure";
import { usePages } from "../usePages";
import { useSend } from "../useSend";
import { BringIn } from "./BringIn";
import { More } from "./More";

const STATES: Record<InvitationState, [tone: string, text: string]> = {
  open: ["warn", "Open"],
  accepted: ["good", "Taken"],
  withdrawn: ["off", "Taken back"],
  expired: ["off", "Has run out"],
};

export function Invitations({ organizationId }: { organizationId: string }) {
  const [state, setState] = useState<string>("");
  const [bringing, setBringing] = useState(false);
  const load = (after: string | null) => invited.list(organizationId, state, after);
  const { items, problem, more, again, set } = usePages(load, `${organizationId} ${state}`);
  const put = (changed: InvitationView): void => set((items ?? []).map((each) => (each.id === changed.id ? changed : each)));
  return (
    <>
      {bringing ? (
        <BringIn organizationId={organizationId} onDone={() => (setBringing(false), again())} onBack={() => setBringing(false)} />
      ) : (
        <button type="button" class="button" onClick={() => setBringing(true)} data-testid="bring-in">
          <Icon name="plus" size={18} />
          Invite somebody
        </button>
      )}
      <div class="people-search">
        <select aria-label="State" value={state} onChange={(event) => setState(event.currentTarget.value)} data-testid="invitation-state">
          <option value="">All of them</option>
          {Object.entries(STATES).map(([value, [, name]]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </div>
      {(!items || problem) && <Loading what="The invitations" problem={problem} again={again} />}
      {items?.length === 0 && <p class="quiet">There is no invitation.</p>}
      <ul class="rows" data-testid="invitations">
        {items?.map((each) => (
          <Row key={each.id} shown={each} organizationId={organizationId} put={put} />
        ))}
      </ul>
      <More more={more} />
    </>
  );
}

function Row({ shown, organizationId, put }: { shown: InvitationView; organizationId: string; put: (changed: InvitationView) => void }) {
  const { busy, general, send } = useSend();
  const [tone, text] = STATES[shown.state];
  const again = (): void =>
    void send(async () => {
      put(await invited.again(organizationId, shown.id));
      announce(`A new link is on its way to ${shown.email}. The old one has ended.`);
    });
  const withdraw = (): void =>
    void send(async () => {
      await invited.withdraw(organizationId, shown.id);
      put({ ...shown, state: "withdrawn" });
      announce(`The invitation of ${shown.email} is taken back.`);
    });
  return (
    <li data-testid="invitation-row" data-email={shown.email} data-state={shown.state}>
      <div class="desk-row">
        <span class="row-text">
          <span class="row-title">{shown.email}</span>
          <span class="row-detail">{detailOf(shown)}</span>
        </span>
        <span class={`health health-${tone}`}>{text}</span>
      </div>
      <Problems problems={general} />
      {shown.state === "open" && (
        <div class="row-actions">
          <button type="button" class="button" disabled={busy} onClick={again} data-testid="invite-again">
            Send again
          </button>
          <Sure label="Take back" warning="The link in the mail ends." yes="Take it back" busy={busy} testId="withdraw" onSure={withdraw} />
        </div>
      )}
    </li>
  );
}

function detailOf(shown: InvitationView): string {
  const titles = shown.course_ids.map((id) => courses.value?.find((each) => each.id === id)?.title ?? "a course");
  const until = shown.state === "open" ? `until ${clockTime(shown.expires_at)}` : `of ${clockTime(shown.created_at)}`;
  return [shown.name, MEMBER_ROLES[shown.role], ...titles, until].filter(Boolean).join(" · ");
}
