// The people of a course: who learns and who teaches, put in one by one or many at once, and taken out.
import { useState } from "preact/hooks";
import { enrolments, type CourseRole, type Enrolment } from "../../api/people";
import { announce } from "../../state/notices";
import { me } from "../../state/session";
import { COURSE_ROLES } from "../../text/roles";
import { clockTime } from "../../text/time";
import { Icon } from "../Icon";
import { Loading, Problems } from "../Loading";
import { Sure } from "../Sure";
import { usePages } from "../usePages";
import { useSend } from "../useSend";
import { EnrolMany } from "./EnrolMany";
import { More } from "./More";
import { EVERYBODY, PeopleSearch } from "./PeopleSearch";
import { Person, RoleChange } from "./Person";

export function Enrolments({ courseId }: { courseId: string }) {
  const [wanted, setWanted] = useState(EVERYBODY);
  const [adding, setAdding] = useState(false);
  const load = (after: string | null) => enrolments.list(courseId, wanted, after);
  const { items, problem, more, again, set } = usePages(load, `${courseId} ${JSON.stringify(wanted)}`);
  const put = (changed: Enrolment): void =>
    set((items ?? []).map((each) => (each.user_id === changed.user_id ? changed : each)));
  const drop = (gone: Enrolment): void => set((items ?? []).filter((each) => each.user_id !== gone.user_id));
  return (
    <>
      {adding ? (
        <EnrolMany courseId={courseId} onEnrolled={again} onBack={() => setAdding(false)} />
      ) : (
        <button type="button" class="button" onClick={() => setAdding(true)} data-testid="enrol">
          <Icon name="plus" size={18} />
          Put people in
        </button>
      )}
      <PeopleSearch wanted={wanted} roles={COURSE_ROLES} onChange={setWanted} />
      {(!items || problem) && <Loading what="The people" problem={problem} again={again} />}
      {items?.length === 0 && <p class="quiet">Nobody is found.</p>}
      <ul class="rows" data-testid="people">
        {items?.map((each) => (
          <Row key={each.user_id} enrolment={each} courseId={courseId} put={put} drop={drop} />
        ))}
      </ul>
      <More more={more} />
    </>
  );
}

interface RowProps {
  enrolment: Enrolment;
  courseId: string;
  put: (enrolment: Enrolment) => void;
  drop: (enrolment: Enrolment) => void;
}

function Row({ enrolment, courseId, put, drop }: RowProps) {
  const { busy, general, send } = useSend();
  const { name, email, role, user_id: id } = enrolment;
  const change = (to: string): void =>
    void send(async () => {
      put(await enrolments.change(courseId, id, to as CourseRole));
      announce(`${name} has another role in the course now.`);
    });
  const remove = (): void =>
    void send(async () => {
      await enrolments.remove(courseId, id);
      announce(`${name} is not in the course any more.`);
      drop(enrolment);
    });
  return (
    <Person name={name} email={email} role={COURSE_ROLES[role]}>
      <p class="quiet">
        In the course since {clockTime(enrolment.created_at)}. {id === me.value?.user.id && "This is you."}
      </p>
      <Problems problems={general} />
      <RoleChange name={name} role={role} roles={COURSE_ROLES} busy={busy} warning="It takes effect at once." onChange={change} />
      <Sure
        label="Take out of the course"
        warning={`${name} does not see the course any more. Conversations stay, and come back with them.`}
        yes="Take out"
        busy={busy}
        testId="remove-person"
        onSure={remove}
      />
    </Person>
  );
}
