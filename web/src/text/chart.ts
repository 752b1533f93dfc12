// The measures of a chart of bars, a day each, in units of its view box.

export interface Bar {
  x: number;
  width: number;
  y: number;
  height: number;
  /** null where the day is not told. */
  value: number | null;
}

export interface Chart {
  bars: Bar[];
  /** What the scale goes up to, and the lines that it is drawn with. */
  top: number;
  lines: { value: number; y: number }[];
}

export const WIDTH = 720;
export const HEIGHT = 180;
const GAP = 0.2;
const UNTOLD = 4;

export function chartOf(values: readonly (number | null)[]): Chart {
  const top = niceTop(Math.max(0, ...values.map((value) => value ?? 0)));
  const step = WIDTH / Math.max(1, values.length);
  const gap = Math.min(6, step * GAP);
  const bars = values.map((value, index) => {
    const height = value === null ? UNTOLD : (value / top) * HEIGHT;
    return { x: index * step + gap / 2, width: step - gap, y: HEIGHT - height, height, value };
  });
  const lines = [top / 2, top].map((value) => ({ value, y: HEIGHT - (value / top) * HEIGHT }));
  return { bars, top, lines: lines.filter(({ value }) => Number.isInteger(value)) };
}

/** The next of 2, 5, 10, 20, 50 … */
function niceTop(highest: number): number {
  let unit = 1;
  for (;;) {
    for (const times of [2, 5, 10]) if (highest <= times * unit) return times * unit;
    unit *= 10;
  }
}

/** The chart in a sentence, for who cannot see it. */
export function chartSummary(days: readonly { day: string; active_people: number | null }[], smallest: number): string {
  const told = days.filter(({ active_people: count }) => count !== null && count > 0);
  const untold = days.filter(({ active_people: count }) => count === null).length;
  const most = told.reduce<(typeof told)[number] | null>(
    (best, each) => (best === null || each.active_people! > best.active_people! ? each : best),
    null,
  );
  return [
    `${days.length} days.`,
    most ? `At most ${most.active_people} people on one day, ${most.day}.` : "No day on which people asked that may be told.",
    untold > 0 ? `${untold === 1 ? "1 day is" : `${untold} days are`} not told, with fewer than ${smallest} people.` : "",
  ]
    .filter(Boolean)
    .join(" ");
}
