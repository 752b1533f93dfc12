// What became of lines of a file or a list, a row each, with the reason of what was not done.
import type { LineReport } from "../../api/people";

const OUTCOMES: Record<string, string> = {
  created: "new account",
  added: "taken in",
  enrolled: "in the course",
  already: "was in it",
  changed: "other role",
  unchanged: "as it was",
  invalid: "not understood",
  unknown: "no such account",
  not_a_member: "not of the organization",
  not_verified: "address not confirmed",
  not_a_teacher: "cannot teach",
  unknown_course: "no such course",
  archived_course: "archived course",
  last_admin: "the last admin stays",
};

export function outcomeName(outcome: string): string {
  return OUTCOMES[outcome] ?? outcome;
}

export function LineReports({ title, lines }: { title: string; lines: LineReport[] }) {
  if (lines.length === 0) return null;
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label={title}>
      <table class="desk-table" data-testid="line-reports">
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">Line</th>
            <th scope="col">Who</th>
            <th scope="col">What became of it</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((each) => (
            <tr key={each.line} data-outcome={each.outcome}>
              <td>{each.line}</td>
              <td>{each.who}</td>
              <td>
                {outcomeName(each.outcome)}
                {each.detail && <span class="row-detail"> {each.detail}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
