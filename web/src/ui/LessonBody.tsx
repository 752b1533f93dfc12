// The Markdown of a lesson, with its links to other lessons working and one heading brought into view.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError, messageOf } from "../api/client";
import type { Lesson } from "../api/types";
import { lessons, loadLesson, loadLessons } from "../state/courses";
import { lessonHref } from "../text/links";
import { renderMarkdown } from "../text/markdown";
import { copyBlock } from "./dom";

export function useLesson(id: string) {
  const [lesson, setLesson] = useState<Lesson | null>(null);
  const [problem, setProblem] = useState("");
  const load = (): void => {
    setProblem("");
    loadLesson(id).then(setLesson, (error: unknown) => {
      const gone = error instanceof ApiError && error.status === 404;
      setProblem(
        gone
          ? "This lesson is not here, or you may not see it."
          : `The lesson could not be loaded. ${messageOf(error)}`,
      );
    });
  };
  useEffect(load, [id]);
  // A slow answer for the lesson before must not stand under the new title.
  return { lesson: lesson?.id === id ? lesson : null, problem, again: load };
}

export function LessonBody({ lesson, heading }: { lesson: Lesson; heading: string | null }) {
  const root = useRef<HTMLDivElement>(null);
  const all = lessons.value;
  useEffect(() => void loadLessons(lesson.course_id), [lesson.course_id]);
  useLayoutEffect(() => {
    const box = root.current;
    if (!box) return;
    const body = withoutTitle(lesson.body, lesson.title);
    box.replaceChildren(renderMarkdown(body, { resolve: (href) => lessonHref(href, lesson, all ?? []) }));
    if (heading) showHeading(box, heading);
  }, [lesson, heading, all]);
  const copy = (event: Event): void => {
    const button = (event.target as Element).closest<HTMLElement>("[data-copy]");
    if (button) void copyBlock(button);
  };
  return <div class="prose lesson" ref={root} onClick={copy} />;
}

/** The title stands above the text already. */
function withoutTitle(body: string, title: string): string {
  const match = /^\s*#\s+(.+?)\s*#*\s*(?:\n|$)/.exec(body);
  return match && plain(match[1]!) === plain(title) ? body.slice(match[0].length) : body;
}

function showHeading(box: HTMLElement, wanted: string): void {
  const all = [...box.querySelectorAll<HTMLElement>("h1, h2, h3, h4, h5, h6")];
  const heading = all.find((item) => plain(item.textContent ?? "") === plain(wanted));
  if (!heading) return;
  heading.classList.add("found");
  heading.dataset.testid = "found-heading";
  heading.scrollIntoView({ block: "start" });
}

function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}
