// Bringing one person into an organization: by an invitation that is mailed, or an account that exists, at once.
import { useEffect, useRef, useState } from "preact/hooks";
import { invited, members, type MemberRole } from "../../api/people";
import { courses } from "../../state/courses";
import { toast } from "../../state/notices";
import { MEMBER_ROLES } from "../../text/roles";
import { Choice, TextField } from "../fields";
import { Problems } from "../Loading";
import { useSend } from "../useSend";

const WAYS = { mail: "A mail with a link, for 14 days", at_once: "The account is taken in at once" };

interface Props {
  organizationId: string;
  onDone: () => void;
  onBack: () => void;
}

export function BringIn({ organizationId, onDone, onBack }: Props) {
  const [way, setWay] = useState("mail");
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState<string>("student");
  const [into, setInto] = useState<string[]>([]);
  const { busy, problems, general, send } = useSend(["email", "name", "role"]);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("input")?.focus(), []);
  const bring = (event: Event): void => {
    event.preventDefault();
    const to = email.trim();
    void send(async () => {
      if (way === "mail") {
        const named = name.trim() ? { name: name.trim() } : {};
        await invited.invite(organizationId, { email: to, role: role as MemberRole, course_ids: into, ...named });
        toast(`An invitation is on its way to ${to}.`);
      } else {
        const member = await members.add(organizationId, to, role as MemberRole);
        toast(`${member.name} belongs to the organization now.`);
      }
      onDone();
    });
  };
  return (
    <form ref={form} class="form desk-form" onSubmit={bring} data-testid="bring-in-form">
      <h2>Bring somebody in</h2>
      <TextField label="Address" type="email" value={email} onInput={setEmail} problem={problems["email"]} required testId="bring-email" />
      <Choice label="Role" choices={MEMBER_ROLES} value={role} onInput={setRole} problem={problems["role"]} testId="bring-role" />
      <Choice label="How" choices={WAYS} value={way} onInput={setWay} testId="bring-way" />
      {way === "mail" && (
        <>
          <TextField label="Name" hint="Whoever has an account keeps theirs." value={name} onInput={setName} problem={problems["name"]} maxLength={200} testId="bring-name" />
          <CourseChoice role={role} organizationId={organizationId} chosen={into} onChange={setInto} />
        </>
      )}
      <Problems problems={general} />
      <div class="approval-buttons">
        <button type="submit" class="button primary" disabled={busy} data-testid="bring-send">
          {way === "mail" ? "Invite" : "Take in"}
        </button>
        <button type="button" class="button plain" disabled={busy} onClick={onBack}>
          Back
        </button>
      </div>
    </form>
  );
}

interface CourseProps {
  role: string;
  organizationId: string;
  chosen: string[];
  onChange: (chosen: string[]) => void;
}

function CourseChoice({ role, organizationId, chosen, onChange }: CourseProps) {
  const here = (courses.value ?? []).filter((each) => each.organization_id === organizationId);
  if (here.length === 0) return null;
  const turn = (id: string) => onChange(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]);
  return (
    <fieldset class="desk-choices course-choice">
      <legend>{role === "student" ? "Learns in" : "Teaches"}</legend>
      {here.map((each) => (
        <label key={each.id} class="tool-choice">
          <input type="checkbox" checked={chosen.includes(each.id)} onChange={() => turn(each.id)} data-testid="bring-course" />
          {each.title}
        </label>
      ))}
    </fieldset>
  );
}
