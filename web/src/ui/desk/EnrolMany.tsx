// Putting members of the organization into a course, by address: typed, pasted or from a file; each line is answered.
import { useEffect, useRef, useState } from "preact/hooks";
import { enrolments, type BulkReport, type Mode } from "../../api/people";
import { announce } from "../../state/notices";
import { COURSE_ROLES } from "../../text/roles";
import { MOST_PEOPLE, readRoster, type RosterLine } from "../../text/roster";
import { Choice, TextArea } from "../fields";
import { Problems } from "../Loading";
import { useSend } from "../useSend";
import { FilePlace } from "./Import";
import { LineReports } from "./LineReports";

const LONGEST = 200_000;
const FINE: readonly string[] = ["enrolled", "already"];

interface Props {
  courseId: string;
  onEnrolled: () => void;
  onBack: () => void;
}

export function EnrolMany({ courseId, onEnrolled, onBack }: Props) {
  const [text, setText] = useState("");
  const [role, setRole] = useState("student");
  const [file, setFile] = useState<File | null>(null);
  const [report, setReport] = useState<BulkReport | null>(null);
  const { busy, general, send } = useSend();
  const place = useRef<HTMLFormElement>(null);
  useEffect(() => place.current?.querySelector("textarea")?.focus(), []);
  const lines = readRoster(text);
  const put = (mode: Mode): void =>
    void send(async () => {
      const said = await enrolments.many(courseId, lines.map((each) => ({ role, ...bare(each) })), mode);
      setReport({ ...said, lines: said.lines.map((each) => ({ ...each, line: lines[each.line - 1]?.line ?? each.line })) });
      announce(said.applied ? `${said.enrolled} people are in the course now.` : "Nobody was put in: look at the lines below.");
      if (said.applied) onEnrolled();
    });
  const read = (chosen: File): void =>
    void send(async () => {
      setFile(chosen);
      setReport(null);
      setText((await chosen.text()).slice(0, LONGEST));
    });
  const submit = (event: Event): void => {
    event.preventDefault();
    put("all");
  };
  const good = report?.lines.filter((each) => each.outcome === "enrolled").length ?? 0;
  return (
    <form ref={place} class="form" onSubmit={submit} data-testid="enrol-form">
      <h2>Put people in</h2>
      <TextArea
        label="Addresses"
        hint="One a line, with student or teacher behind a comma where it differs. They belong to the organization already."
        maxLength={LONGEST}
        value={text}
        onInput={(given) => (setText(given), setReport(null))}
        testId="enrol-text"
      />
      <FilePlace busy={busy} file={file} onFile={read} />
      <Choice label="Where nothing is said, as" choices={COURSE_ROLES} value={role} onInput={setRole} testId="enrol-role" />
      <Problems problems={general} />
      {lines.length > MOST_PEOPLE && <p class="form-problem">{`${lines.length} people are too many at once: at most ${MOST_PEOPLE}.`}</p>}
      {report && <Said report={report} />}
      <div class="approval-buttons">
        <button type="submit" class="button primary" disabled={busy || lines.length === 0 || lines.length > MOST_PEOPLE} data-testid="enrol-go">
          {lines.length > 1 ? `Put ${lines.length} people in` : "Put in"}
        </button>
        {report && !report.applied && good > 0 && (
          <button type="button" class="button" disabled={busy} onClick={() => put("valid")} data-testid="enrol-valid">
            Only the {good} who are fine
          </button>
        )}
        <button type="button" class="button plain" disabled={busy} onClick={onBack}>
          {report?.applied ? "Done" : "Back"}
        </button>
      </div>
    </form>
  );
}

function bare({ email, role }: RosterLine) {
  return { email, ...(role && { role }) };
}

function Said({ report }: { report: BulkReport }) {
  const wrong = report.lines.filter((each) => !FINE.includes(each.outcome));
  return (
    <section class="desk-part" data-testid="enrol-report" data-applied={report.applied}>
      <p role="status">
        {report.applied
          ? `${report.enrolled} ${report.enrolled === 1 ? "person was" : "people were"} put in.`
          : `Nobody was put in, for ${wrong.length === 1 ? "1 line is" : `${wrong.length} lines are`} not fine.`}
      </p>
      <LineReports title="Line by line" lines={report.lines} />
    </section>
  );
}
