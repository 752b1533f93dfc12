// Which of one's organizations is the active one: rights, courses and conversations are those of it.
import { account } from "../../api/account";
import type { Me } from "../../api/types";
import { beginAnew } from "../../state/session";
import { ROLES } from "../../text/roles";
import { Problems } from "../Loading";
import { useSend } from "../useSend";

export function Places({ mine }: { mine: Me }) {
  const { busy, general, send } = useSend();
  if (mine.memberships.length < 2) return null;
  const go = (id: string): void =>
    void send(async () => {
      await account.switchTo(id);
      beginAnew();
    });
  return (
    <section class="desk-part" aria-labelledby="places-title">
      <h2 id="places-title">Your organizations</h2>
      <Problems problems={general} />
      <ul class="rows">
        {mine.memberships.map(({ organization, role }) => (
          <li key={organization.id} class="desk-row" data-testid="place">
            <span class="row-text">
              <span class="row-title">{organization.name}</span>
              <span class="row-detail">{ROLES[role]}</span>
            </span>
            {organization.id === mine.organization?.id ? (
              <span class="health health-good">You are here</span>
            ) : (
              <button type="button" class="button small" disabled={busy} onClick={() => go(organization.id)} data-testid="switch">
                Go there
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
