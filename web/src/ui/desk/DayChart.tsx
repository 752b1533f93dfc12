// Bars by day. A day with too few people is a stub, which says that there was something and not how much.
import { useId } from "preact/hooks";
import type { DayFigures } from "../../api/insights";
import { chartOf, chartSummary, HEIGHT, WIDTH } from "../../text/chart";

export function DayChart({ days, smallest }: { days: DayFigures[]; smallest: number }) {
  const id = useId();
  const { bars, lines } = chartOf(days.map((each) => each.active_people));
  const summary = chartSummary(days, smallest);
  // The drawing is stretched to its place; numbers and days stand beside it, so that they keep their size.
  return (
    <figure class="day-chart" data-testid="day-chart">
      <div class="chart-box">
        {lines.map(({ value, y }) => (
          <span key={value} class="chart-number" style={{ top: `${(y / HEIGHT) * 100}%` }} aria-hidden="true">
            {value.toLocaleString()}
          </span>
        ))}
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-labelledby={id}>
          <title id={id}>{summary}</title>
          {lines.map(({ value, y }) => (
            <line key={value} class="chart-line" x1={0} x2={WIDTH} y1={y} y2={y} />
          ))}
          {bars.map(({ value, ...place }, index) => (
            <rect key={days[index]!.day} class={value === null ? "chart-untold" : "chart-bar"} {...place}>
              <title>{`${days[index]!.day}: ${value ?? `fewer than ${smallest}`}`}</title>
            </rect>
          ))}
          <line class="chart-base" x1={0} x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        </svg>
      </div>
      <p class="chart-days" aria-hidden="true">
        <span>{days[0]?.day}</span>
        <span>{days.at(-1)?.day}</span>
      </p>
      <figcaption class="quiet">{summary}</figcaption>
    </figure>
  );
}
