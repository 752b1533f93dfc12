// A course or an organization in figures: sums, who was active day by day as a chart, and the table behind it.
import { useState } from "preact/hooks";
import { insights, type Analytics, type Figures } from "../../api/insights";
import { Loading } from "../Loading";
import { useLoaded } from "../useLoaded";
import { DayChart } from "./DayChart";

const RANGES: Record<string, string> = { 7: "7 days", 30: "30 days", 90: "90 days", 365: "A year" };
const DAY = 86_400_000;
const COLUMNS: [keyof Figures, string][] = [
  ["threads", "Conversations"],
  ["questions", "Questions"],
  ["answered", "Answered"],
  ["unanswered", "Not answered"],
  ["up", "Thumbs up"],
  ["down", "Thumbs down"],
  ["input_tokens", "Tokens read"],
  ["output_tokens", "Tokens written"],
];

interface Props {
  place: "courses" | "organizations";
  id: string;
}

export function FiguresPage({ place, id }: Props) {
  const [days, setDays] = useState("30");
  const from = new Date(Date.now() - Number(days) * DAY).toISOString().slice(0, 10);
  const { value, problem, again } = useLoaded(() => insights.of(place, id, from), `${id} ${from}`);
  return (
    <>
      <div class="people-search">
        <select aria-label="Which days" value={days} onChange={(event) => setDays(event.currentTarget.value)} data-testid="figures-range">
          {Object.entries(RANGES).map(([count, name]) => (
            <option key={count} value={count}>
              {name}
            </option>
          ))}
        </select>
      </div>
      {(!value || problem) && <Loading what="The figures" problem={problem} again={again} />}
      {value && <Shown found={value} who={place === "courses" ? "Learners" : "Members"} inCourse={place === "courses"} />}
    </>
  );
}

function Shown({ found, who, inCourse }: { found: Analytics; who: string; inCourse: boolean }) {
  const { total, smallest_group: smallest } = found;
  return (
    <>
      <dl class="figures" data-testid="figures">
        <Figure name={`${who} now`} value={found.people} />
        {COLUMNS.map(([key, name]) => (
          <Figure key={key} name={name} value={total[key]} />
        ))}
        {total.cost_usd !== null && <Figure name="US dollars" value={Math.round(total.cost_usd * 100) / 100} />}
      </dl>
      {inCourse && <p class="quiet">A question counts as answered when its answer cites the material.</p>}
      {(!total.complete || found.people === null) && (
        <p class="quiet" data-testid="too-few">
          Figures that speak of fewer than {smallest} people are not told, here or in the sums, so that nobody is told apart.
        </p>
      )}
      <section class="desk-part" aria-labelledby="chart-title">
        <h2 id="chart-title">People who asked something, day by day</h2>
        <DayChart days={found.days} smallest={smallest} />
      </section>
      <details class="manage-notes">
        <summary data-testid="figures-open-table">Every day as a table</summary>
        <DayTable found={found} />
      </details>
    </>
  );
}

function Figure({ name, value }: { name: string; value: number | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{told(value)}</dd>
    </div>
  );
}

function told(value: number | null) {
  if (value !== null) return value.toLocaleString();
  return (
    <span class="quiet">
      <span aria-hidden="true">–</span>
      <span class="visually-hidden">too few people</span>
    </span>
  );
}

function DayTable({ found }: { found: Analytics }) {
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label="Every day">
      <table class="desk-table figures-table" data-testid="figures-table">
        <caption>In UTC; – where too few people are behind a figure</caption>
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col">Active</th>
            {COLUMNS.map(([key, name]) => (
              <th key={key} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...found.days].reverse().map((each) => (
            <tr key={each.day}>
              <th scope="row">{each.day}</th>
              <td>{told(each.active_people)}</td>
              {COLUMNS.map(([key]) => (
                <td key={key}>{told(each[key])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
