// The people of an organization: found by name or role, brought in, given another role, and taken out.
import { useState } from "preact/hooks";
import { members, type Member, type MemberRole } from "../../api/people";
import { announce } from "../../state/notices";
import { me } from "../../state/session";
import { MEMBER_ROLES } from "../../text/roles";
import { clockTime } from "../../text/time";
import { Icon } from "../Icon";
import { Loading, Problems } from "../Loading";
import { Sure } from "../Sure";
import { usePages } from "../usePages";
import { useSend } from "../useSend";
import { Activity } from "./Activity";
import { BringIn } from "./BringIn";
import { More } from "./More";
import { EVERYBODY, PeopleSearch } from "./PeopleSearch";
import { Person, RoleChange } from "./Person";

const WARNING = "It takes effect at once. Who becomes a student learns what they taught.";

export function Members({ organizationId }: { organizationId: string }) {
  const [wanted, setWanted] = useState(EVERYBODY);
  const [bringing, setBringing] = useState(false);
  const load = (after: string | null) => members.list(organizationId, wanted, after);
  const { items, problem, more, again, set } = usePages(load, `${organizationId} ${JSON.stringify(wanted)}`);
  const put = (changed: Member): void =>
    set((items ?? []).map((each) => (each.user_id === changed.user_id ? changed : each)));
  const drop = (gone: Member): void => set((items ?? []).filter((each) => each.user_id !== gone.user_id));
  return (
    <>
      {bringing ? (
        <BringIn organizationId={organizationId} onDone={() => (setBringing(false), again())} onBack={() => setBringing(false)} />
      ) : (
        <button type="button" class="button" onClick={() => setBringing(true)} data-testid="bring-in">
          <Icon name="plus" size={18} />
          Bring somebody in
        </button>
      )}
      <PeopleSearch wanted={wanted} roles={MEMBER_ROLES} onChange={setWanted} />
      {(!items || problem) && <Loading what="The people" problem={problem} again={again} />}
      {items?.length === 0 && <p class="quiet">Nobody is found.</p>}
      <ul class="rows" data-testid="people">
        {items?.map((each) => (
          <MemberRow key={each.user_id} member={each} organizationId={organizationId} put={put} drop={drop} />
        ))}
      </ul>
      <More more={more} />
    </>
  );
}

interface RowProps {
  member: Member;
  organizationId: string;
  put: (member: Member) => void;
  drop: (member: Member) => void;
}

function MemberRow({ member, organizationId, put, drop }: RowProps) {
  const [looking, setLooking] = useState(false);
  const { busy, general, send } = useSend();
  const change = (role: string): void =>
    void send(async () => {
      put(await members.change(organizationId, member.user_id, role as MemberRole));
      announce(`${member.name} has another role now.`);
    });
  const remove = (): void =>
    void send(async () => {
      await members.remove(organizationId, member.user_id);
      announce(`${member.name} does not belong to the organization any more.`);
      drop(member);
    });
  const mark = member.service ? <span class="tag">API key</span> : !member.verified && <span class="tag">not confirmed</span>;
  return (
    <Person name={member.name} email={member.email} role={MEMBER_ROLES[member.role]} mark={mark}>
      <p class="quiet">
        Here since {clockTime(member.created_at)}.
        {!member.verified && !member.service && " Has not confirmed the address yet, and teaches nothing before that."}
      </p>
      <Problems problems={general} />
      {member.user_id === me.value?.user.id && <p class="quiet">This is you.</p>}
      {looking ? (
        <Activity organizationId={organizationId} userId={member.user_id} />
      ) : (
        <button type="button" class="link" onClick={() => setLooking(true)} data-testid="show-activity">
          What {member.service ? "it" : "they"} did lately
        </button>
      )}
      {member.service ? (
        <p class="quiet">It ends with its key.</p>
      ) : (
        <>
          <RoleChange name={member.name} role={member.role} roles={MEMBER_ROLES} busy={busy} warning={WARNING} onChange={change} />
          <Sure
            label="Take out"
            warning={`${member.name} leaves the organization and every course of it. The account stays.`}
            busy={busy}
            testId="remove-person"
            onSure={remove}
          />
        </>
      )}
    </Person>
  );
}
