// What a member did lately, for the organization's admins: of a question only that it was asked.
import { insights, type ActivityItem } from "../../api/insights";
import { actionName } from "../../text/actions";
import { clockTime } from "../../text/time";
import { Loading } from "../Loading";
import { usePages } from "../usePages";
import { More } from "./More";

export function Activity({ organizationId, userId }: { organizationId: string; userId: string }) {
  const load = (after: string | null) => insights.ofMember(organizationId, userId, after);
  const { items, problem, more, again } = usePages(load, userId);
  return (
    <div data-testid="activity">
      {(!items || problem) && <Loading what="What they did" problem={problem} again={again} />}
      {items?.length === 0 && <p class="quiet">Nothing yet.</p>}
      <ol class="rows">
        {items?.map((each) => (
          <li key={each.id} class="desk-row">
            <span class="row-text">
              <span dir="auto">{said(each)}</span>
              <span class="row-detail">{clockTime(each.at)}</span>
            </span>
          </li>
        ))}
      </ol>
      <More more={more} />
    </div>
  );
}

function said({ kind, action, title }: ActivityItem): string {
  const deed = kind === "question" ? "Asked something" : kind === "task" ? "Task done" : actionName(action ?? "");
  return title ? `${deed}: ${title}` : deed;
}
