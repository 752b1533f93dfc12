// People from a file: first what would be done, line by line, then doing it.
import { useRef, useState } from "preact/hooks";
import { members, type ImportReport, type Mode } from "../../api/people";
import { announce } from "../../state/notices";
import { Icon } from "../Icon";
import { Problems } from "../Loading";
import { useSend } from "../useSend";
import { LineReports, outcomeName } from "./LineReports";

export function ImportPage({ organizationId }: { organizationId: string }) {
  const [file, setFile] = useState<File | null>(null);
  const [update, setUpdate] = useState(false);
  const [report, setReport] = useState<ImportReport | null>(null);
  const { busy, general, send } = useSend();
  const ask = (of: File, given: { mode: Mode; dryRun: boolean; update: boolean }): void =>
    void send(async () => {
      const said = await members.import(organizationId, of, given);
      setReport(said);
      announce(said.applied ? "It is done." : said.failed ? `${said.failed} lines cannot be done.` : "Nothing is done yet.");
    });
  const look = (of: File | null, roles = update): void => {
    setFile(of);
    setUpdate(roles);
    setReport(null);
    if (of) ask(of, { mode: "all", dryRun: true, update: roles });
  };
  return (
    <>
      <p class="manage-lead">
        A CSV file, with one of <code>email, name, role, course, course_role</code> in each column of its first line; only <code>email</code> is needed. First
        you see what would be done.
      </p>
      <FilePlace busy={busy} file={file} onFile={(chosen) => look(chosen)} />
      <label class="tool-choice">
        <input type="checkbox" checked={update} disabled={busy} onChange={() => look(file, !update)} data-testid="import-update" />
        Give people who are here already the roles of the file
      </label>
      <Problems problems={general} />
      {report && <Report report={report} />}
      {report && file && !report.applied && (
        <Going report={report} busy={busy} onGo={(mode) => ask(file, { mode, dryRun: false, update })} />
      )}
      <p>
        <a class="button" href={members.file(organizationId)} download="members.csv" data-testid="export-members">
          <Icon name="download" size={18} />
          Save everybody as a file
        </a>
      </p>
    </>
  );
}

export function FilePlace({ busy, file, onFile }: { busy: boolean; file: File | null; onFile: (file: File) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = (files: FileList | null | undefined): void => {
    if (files?.[0]) onFile(files[0]);
  };
  return (
    <div
      class="drop-place"
      data-over={over}
      onDragOver={(event) => (event.preventDefault(), setOver(true))}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <p>{busy ? "Reading it …" : (file?.name ?? "Drop a file here.")}</p>
      <button type="button" class="button" disabled={busy} onClick={() => input.current?.click()}>
        {file ? "Choose another" : "Choose a file"}
      </button>
      <input
        ref={input}
        type="file"
        accept=".csv,.tsv,.txt,text/csv"
        hidden
        aria-label="A file of people"
        data-testid="people-file"
        onChange={(event) => {
          take(event.currentTarget.files);
          event.currentTarget.value = "";
        }}
      />
    </div>
  );
}

function Report({ report }: { report: ImportReport }) {
  const counts: [string, number][] = [
    [report.applied ? "new accounts" : "accounts to be made", report.accounts],
    [report.applied ? "people taken in" : "people to be taken in", report.memberships],
    [report.applied ? "places in courses" : "places in courses to be given", report.enrolments],
    [report.applied ? "roles changed" : "roles to be changed", report.changes],
  ];
  return (
    <section class="desk-part" aria-labelledby="report-title" data-testid="import-report" data-applied={report.applied}>
      <h2 id="report-title">{report.applied ? "Done" : report.failed > 0 ? "This cannot all be done" : "This would be done"}</h2>
      <p>
        {report.lines} {report.lines === 1 ? "line" : "lines"}: {said(report.outcomes)}.
      </p>
      <ul class="import-counts">
        {counts.map(([name, count]) => (
          <li key={name}>
            <strong>{count.toLocaleString()}</strong> {name}
          </li>
        ))}
      </ul>
      <LineReports title="Lines that cannot be done" lines={report.problems} />
      {report.failed > report.problems.length && <p class="quiet">{report.failed} in all; the first of them are named.</p>}
      <LineReports title="Lines that wish for another role" lines={report.remarks} />
    </section>
  );
}

function said(outcomes: Record<string, number>): string {
  const each = Object.entries(outcomes).map(([outcome, count]) => `${count.toLocaleString()} × ${outcomeName(outcome)}`);
  return each.join(", ") || "nothing";
}

function Going({ report, busy, onGo }: { report: ImportReport; busy: boolean; onGo: (mode: Mode) => void }) {
  const good = report.lines - report.failed;
  if (good === 0) return null;
  return (
    <button
      type="button"
      class="button primary"
      disabled={busy}
      onClick={() => onGo(report.failed > 0 ? "valid" : "all")}
      data-testid="import-go"
    >
      {report.failed > 0 ? `Bring in the ${good} other ${good === 1 ? "line" : "lines"}` : "Bring them in"}
    </button>
  );
}
