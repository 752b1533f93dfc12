// Questions to begin with, made from lessons that exist: asking for what a course does not have disappoints.
import type { LessonSummary } from "../api/types";

const FORMS = [
  (title: string) => `What is the main idea of “${title}”?`,
  (title: string) => `Explain “${title}” with an example.`,
  (title: string) => `Which terms do I need for “${title}”?`,
  (title: string) => `Summarise “${title}” in five sentences.`,
];

/** Up to four starters, spread over the course. */
export function startersFor(lessons: LessonSummary[]): string[] {
  const published = lessons.filter((lesson) => lesson.published && lesson.title.trim() !== "");
  const count = Math.min(FORMS.length, published.length);
  return Array.from({ length: count }, (_, index) => {
    const lesson = published[Math.floor((index * published.length) / count)]!;
    const title = bareTitle(lesson.title);
    // A title that asks is a question already.
    return title.endsWith("?") ? title : FORMS[index]!(title);
  });
}

const NUMBERING = /^\s*(?:(?:lesson|chapter|unit|week|part)\s+\d+\s*[.:)–—-]?|\d+(?:\.\d+)*\s*[.:)–—-])\s+/i;

/** “3. Nodes and topics” reads better as “Nodes and topics”. */
export function bareTitle(title: string): string {
  return title.replace(NUMBERING, "") || title;
}
