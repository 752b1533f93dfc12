// Where one is signed in, and the end of it: in one place, or everywhere else.
import { sessions, type SessionView } from "../../api/account";
import { announce } from "../../state/notices";
import { now } from "../../state/surroundings";
import { deviceName } from "../../text/device";
import { clockTime, relativeTime } from "../../text/time";
import { Loading, Problems } from "../Loading";
import { Sure } from "../Sure";
import { usePages } from "../usePages";
import { useSend } from "../useSend";
import { More } from "./More";

const METHODS: Record<string, string> = { password: "password", oidc: "sign-in provider", invitation: "invitation" };

export function Sessions() {
  const { items, problem, more, again, set } = usePages(sessions.list, "");
  const { busy, general, send } = useSend();
  const end = (each: SessionView): void =>
    void send(async () => {
      await sessions.end(each.id);
      set((items ?? []).filter(({ id }) => id !== each.id));
      announce("That session has ended.");
    });
  const endOthers = (): void =>
    void send(async () => {
      await sessions.endOthers();
      announce("Every other session has ended.");
      again();
    });
  return (
    <>
      <p class="manage-lead">Where you are signed in. Whatever you do not recognize: end it, and change your password.</p>
      {!items && <Loading what="Your sessions" problem={problem} again={again} />}
      <Problems problems={general} />
      <ul class="rows" data-testid="sessions">
        {items?.map((each) => (
          <li key={each.id} class="desk-row" data-testid="session" data-current={each.current}>
            <span class="row-text">
              <span class="row-title" title={each.user_agent ?? undefined}>
                {deviceName(each.user_agent)}
              </span>
              <span class="row-detail">{detailOf(each)}</span>
            </span>
            {each.current ? (
              <span class="health health-good">This one</span>
            ) : (
              <button
                type="button"
                class="button small"
                disabled={busy}
                aria-label={`End the session of ${deviceName(each.user_agent)} since ${clockTime(each.created_at)}`}
                onClick={() => end(each)}
                data-testid="end-session"
              >
                End
              </button>
            )}
          </li>
        ))}
      </ul>
      <More more={more} />
      {(items?.length ?? 0) > 1 && (
        <Sure
          label="End all others"
          warning="You are signed out everywhere but here."
          no="Leave them"
          busy={busy}
          testId="end-others"
          onSure={endOthers}
        />
      )}
    </>
  );
}

function detailOf(each: SessionView): string {
  const used = each.used_at ? `used ${relativeTime(each.used_at, now.value)}` : null;
  const by = `by ${METHODS[each.method] ?? each.method}`;
  return [`Since ${clockTime(each.created_at)} ${by}`, used, each.address].filter(Boolean).join(" · ");
}
