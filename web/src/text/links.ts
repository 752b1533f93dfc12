// Links between lessons: a lesson's Markdown points to the file of another one; the app has that lesson.
import type { LessonSummary } from "../api/types";
import { hrefOf } from "../state/route";

/** The address of the lesson that `href` means when it stands in `from`; null when there is none. */
export function lessonHref(href: string, from: LessonSummary, lessons: LessonSummary[]): string | null {
  if (href.startsWith("#")) return null;
  const base = new URL(from.path.replace(/^\/*/, "/"), "https://lessons.invalid");
  const path = decodeURIComponent(new URL(href, base).pathname).replace(/^\//, "");
  const target = lessons.find((lesson) => lesson.path.replace(/^\/*/, "") === path);
  return target ? hrefOf({ name: "lesson", courseId: target.course_id, lessonId: target.id }) : null;
}
