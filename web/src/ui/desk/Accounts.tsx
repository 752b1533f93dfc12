// Everybody's accounts, for site admins: found, shut out, let in again, vouched for, deleted.
import { useState } from "preact/hooks";
import { accounts, type Account } from "../../api/people";
import { announce } from "../../state/notices";
import { me } from "../../state/session";
import { clockTime } from "../../text/time";
import { Loading, Problems } from "../Loading";
import { Sure } from "../Sure";
import { usePages } from "../usePages";
import { useSend } from "../useSend";
import { More } from "./More";
import { SearchBox, useSlowly } from "./PeopleSearch";
import { Person } from "./Person";

export function Accounts() {
  const [wanted, setWanted] = useState({ q: "", suspended: "" });
  const q = useSlowly(wanted.q, (text) => setWanted({ ...wanted, q: text.trim() }));
  const load = (after: string | null) => accounts.list(wanted.q, wanted.suspended, after);
  const { items, problem, more, again, set } = usePages(load, JSON.stringify(wanted));
  const put = (changed: Account): void => set((items ?? []).map((each) => (each.id === changed.id ? changed : each)));
  const drop = (id: string): void => set((items ?? []).filter((each) => each.id !== id));
  return (
    <>
      <div class="people-search" role="search">
        <SearchBox label="Find accounts by the beginning of a name or an address" value={q.text} onInput={q.type} />
        <select
          aria-label="State"
          value={wanted.suspended}
          onChange={(event) => setWanted({ ...wanted, suspended: event.currentTarget.value })}
          data-testid="account-state"
        >
          <option value="">All of them</option>
          <option value="false">Let in</option>
          <option value="true">Suspended</option>
        </select>
      </div>
      {(!items || problem) && <Loading what="The accounts" problem={problem} again={again} />}
      {items?.length === 0 && <p class="quiet">Nobody is found.</p>}
      <ul class="rows" data-testid="people">
        {items?.map((each) => (
          <Row key={each.id} shown={each} put={put} drop={drop} />
        ))}
      </ul>
      <More more={more} />
    </>
  );
}

const SAID = { suspend: "is shut out", restore: "is let in again", verify: "has a confirmed address" };

interface RowProps {
  shown: Account;
  put: (changed: Account) => void;
  drop: (id: string) => void;
}

function Row({ shown, put, drop }: RowProps) {
  const { busy, general, send } = useSend();
  const act = (what: keyof typeof SAID): void =>
    void send(async () => {
      put(await accounts.act(shown.id, what));
      announce(`${shown.name} ${SAID[what]}.`);
    });
  const remove = (): void =>
    void send(async () => {
      await accounts.remove(shown.id);
      drop(shown.id);
      announce(`The account of ${shown.name} is deleted.`);
    });
  const mark = shown.suspended ? <span class="tag">suspended</span> : !shown.email_verified && <span class="tag">not confirmed</span>;
  return (
    <Person name={shown.name} email={shown.email} role={shown.site_admin ? "Site admin" : ""} mark={mark}>
      <p class="quiet">
        Since {clockTime(shown.created_at)}. {shown.id === me.value?.user.id && "This is you."}
      </p>
      <Problems problems={general} />
      <div class="row-actions">
        {!shown.email_verified && (
          <button type="button" class="button" disabled={busy} onClick={() => act("verify")} data-testid="verify-account">
            Vouch for the address
          </button>
        )}
        {shown.suspended ? (
          <button type="button" class="button" disabled={busy} onClick={() => act("restore")} data-testid="restore-account">
            Let in again
          </button>
        ) : (
          <Sure
            label="Suspend"
            warning={`${shown.name} is signed out everywhere at once, and cannot sign in.`}
            no="Leave it"
            busy={busy}
            testId="suspend-account"
            onSure={() => act("suspend")}
          />
        )}
        {shown.id !== me.value?.user.id && (
          <Sure
            label="Delete"
            warning={`All that ${shown.name} has said and kept here is gone at once. It cannot be taken back.`}
            busy={busy}
            testId="remove-account"
            onSure={remove}
          />
        )}
      </div>
    </Person>
  );
}
