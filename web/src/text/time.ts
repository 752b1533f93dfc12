// Times in words, by the browser's language: a short relative time and the groups of the thread list.
import type { Thread } from "../api/types";

const DAY = 86_400_000;

export function relativeTime(iso: string, now: number): string {
  const seconds = Math.round((now - Date.parse(iso)) / 1000);
  if (seconds < 60) return "now";
  const format = new Intl.RelativeTimeFormat(undefined, { style: "narrow", numeric: "always" });
  if (seconds < 3600) return format.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 86_400) return format.format(-Math.floor(seconds / 3600), "hour");
  if (seconds < 7 * 86_400) return format.format(-Math.floor(seconds / 86_400), "day");
  return new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" }).format(new Date(iso));
}

/** The same in as few letters as a list has room for: “5m”, “3h”, “2d”. */
export function age(iso: string, now: number): string {
  const seconds = Math.round((now - Date.parse(iso)) / 1000);
  if (seconds < 60 || seconds >= 7 * 86_400) return relativeTime(iso, now);
  const [unit, length] = seconds < 3600 ? ["minute", 60] : seconds < 86_400 ? ["hour", 3600] : ["day", 86_400];
  const format = new Intl.NumberFormat(undefined, { style: "unit", unit: unit as string, unitDisplay: "narrow" });
  return format.format(Math.floor(seconds / (length as number)));
}

export function clockTime(iso: string): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

/** Until when: a time of today without the day. */
export function untilTime(iso: string, now: number): string {
  const time = new Date(iso);
  const today = new Date(now).toDateString() === time.toDateString();
  return today ? new Intl.DateTimeFormat(undefined, { timeStyle: "short" }).format(time) : clockTime(iso);
}

export interface Group {
  label: string;
  threads: Thread[];
}

/** Today · Yesterday · Previous 7 days · Previous 30 days · then by month. Keeps the given order. */
export function groupByTime(threads: Thread[], now: number): Group[] {
  const groups: Group[] = [];
  for (const thread of threads) {
    const label = groupLabel(Date.parse(thread.updated_at), now);
    const last = groups.at(-1);
    if (last?.label === label) last.threads.push(thread);
    else groups.push({ label, threads: [thread] });
  }
  return groups;
}

function groupLabel(time: number, now: number): string {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  if (time >= midnight) return "Today";
  if (time >= midnight - DAY) return "Yesterday";
  if (time >= midnight - 7 * DAY) return "Previous 7 days";
  if (time >= midnight - 30 * DAY) return "Previous 30 days";
  return new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric" }).format(time);
}
