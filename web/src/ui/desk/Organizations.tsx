// Every organization of the site, for site admins, who are at home in none: the way into one.
import { useState } from "preact/hooks";
import { account } from "../../api/account";
import { organizations } from "../../api/people";
import { beginAnew, me } from "../../state/session";
import { Loading, Problems } from "../Loading";
import { usePages } from "../usePages";
import { useSend } from "../useSend";
import { More } from "./More";
import { SearchBox, useSlowly } from "./PeopleSearch";

export function Organizations() {
  const [wanted, setWanted] = useState("");
  const q = useSlowly(wanted, (text) => setWanted(text.trim()));
  const { items, problem, more, again } = usePages((after) => organizations.list(wanted, after), wanted);
  const { busy, general, send } = useSend();
  const enter = (id: string): void =>
    void send(async () => {
      await account.switchTo(id);
      beginAnew();
    });
  return (
    <>
      <div class="people-search" role="search">
        <SearchBox label="Find organizations by the beginning of the name" placeholder="Name" value={q.text} onInput={q.type} />
      </div>
      {(!items || problem) && <Loading what="The organizations" problem={problem} again={again} />}
      <Problems problems={general} />
      <ul class="rows">
        {items?.map(({ id, name }) => (
          <li key={id} class="desk-row" data-testid="place">
            <span class="row-title" dir="auto">
              {name}
            </span>
            {id === me.value?.organization?.id ? (
              <span class="health health-good">You are here</span>
            ) : (
              <button type="button" class="button small" disabled={busy} onClick={() => enter(id)} data-testid="switch">
                Go there
              </button>
            )}
          </li>
        ))}
      </ul>
      <More more={more} />
    </>
  );
}
