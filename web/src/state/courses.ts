// The courses of the signed-in person and the lessons of those that were opened.
import { computed, signal } from "@preact/signals";
import { messageOf } from "../api/client";
import { courses as api } from "../api/endpoints";
import type { Course, Lesson, LessonSummary, Page } from "../api/types";
import { route } from "./route";
import { recall, remember } from "./storage";

export const courses = signal<Course[] | null>(null);
export const coursesError = signal<string | null>(null);
const lessonLists = signal<Record<string, LessonSummary[]>>({});
export const lessonsError = signal<string | null>(null);
const bodies = new Map<string, Promise<Lesson>>();

/** The course of the address; null is a conversation outside any course. */
export const courseId = computed(() => (route.value.name === "home" ? null : route.value.courseId));
export const course = computed(() => courses.value?.find((item) => item.id === courseId.value) ?? null);
export const lessons = computed(() => (courseId.value ? (lessonLists.value[courseId.value] ?? null) : null));

export async function loadCourses(): Promise<void> {
  coursesError.value = null;
  try {
    courses.value = await everyPage((after) => api.mine(after));
  } catch (error) {
    coursesError.value = messageOf(error);
  }
}

export async function loadLessons(id: string): Promise<void> {
  if (lessonLists.value[id]) return;
  lessonsError.value = null;
  try {
    const found = await everyPage((after) => api.lessons(id, after));
    found.sort((a, b) => a.position - b.position);
    lessonLists.value = { ...lessonLists.value, [id]: found };
  } catch (error) {
    lessonsError.value = messageOf(error);
  }
}

/** A lesson with its text; remembered, but a failed attempt may be repeated. */
export function loadLesson(id: string): Promise<Lesson> {
  const known = bodies.get(id);
  if (known) return known;
  const loading = api.lesson(id);
  bodies.set(id, loading);
  loading.catch(() => bodies.delete(id));
  return loading;
}

export function rememberCourse(id: string | null): void {
  remember("course", id ?? "general");
}

/** Where to begin: the course of last time, else the first, else outside any course. */
export function startingCourse(): string | null {
  const last = recall<string>("course");
  const all = courses.value ?? [];
  if (last === "general") return null;
  return all.find((item) => item.id === last)?.id ?? all[0]?.id ?? null;
}

async function everyPage<T>(load: (after: string | null) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let after: string | null = null;
  do {
    const page: Page<T> = await load(after);
    items.push(...page.items);
    after = page.next;
  } while (after !== null);
  return items;
}
