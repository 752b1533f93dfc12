// The lessons of a course as a table of contents, and one lesson as a page to read.
import { useEffect } from "preact/hooks";
import type { LessonSummary } from "../api/types";
import { course, lessons, lessonsError, loadLessons } from "../state/courses";
import { subject } from "../state/conversations";
import { go, hrefOf } from "../state/route";
import { bareTitle } from "../text/starters";
import { useDelayed } from "./dom";
import { Icon } from "./Icon";
import { LessonBody, useLesson } from "./LessonBody";

export function LessonList({ courseId }: { courseId: string }) {
  useEffect(() => void loadLessons(courseId), [courseId]);
  const all = lessons.value;
  return (
    <div class="page-scroll" data-testid="lesson-list">
      <div class="page-column">
        <p class="empty-eyebrow">Lessons</p>
        <h1>{course.value?.title ?? "Course"}</h1>
        {course.value?.description && <p class="empty-lead">{course.value.description}</p>}
        {lessonsError.value && !all && (
          <p class="quiet" role="alert">
            The lessons could not be loaded. {lessonsError.value}{" "}
            <button type="button" class="link" onClick={() => void loadLessons(courseId)}>
              Try again
            </button>
          </p>
        )}
        {!all && !lessonsError.value && <Waiting />}
        {all?.length === 0 && <p class="quiet">This course has no lessons yet.</p>}
        <ol class="lesson-list">
          {all?.map((lesson, index) => (
            <Row key={lesson.id} lesson={lesson} number={index + 1} />
          ))}
        </ol>
      </div>
    </div>
  );
}

function Row({ lesson, number }: { lesson: LessonSummary; number: number }) {
  return (
    <li>
      <a
        class="lesson-link"
        data-testid="lesson-item"
        href={hrefOf({ name: "lesson", courseId: lesson.course_id, lessonId: lesson.id })}
      >
        <span class="lesson-number">{number}</span>
        <span class="lesson-title">{bareTitle(lesson.title)}</span>
        {!lesson.published && <span class="tag">Draft</span>}
      </a>
    </li>
  );
}

function Waiting() {
  const late = useDelayed();
  return (
    <div aria-busy="true">
      {late && [60, 72, 48].map((width) => <div key={width} class="skeleton" style={{ width: `${width}%` }} />)}
    </div>
  );
}

export function LessonPage({ courseId, lessonId }: { courseId: string; lessonId: string }) {
  useEffect(() => void loadLessons(courseId), [courseId]);
  const { lesson, problem, again } = useLesson(lessonId);
  return (
    <div class="page-scroll" key={lessonId} data-testid="lesson-page">
      <article class="page-column">
        <a class="back-link" href={hrefOf({ name: "lessons", courseId })}>
          <Icon name="back" size={16} />
          Lessons
        </a>
        {problem && (
          <p class="quiet" role="alert">
            {problem}{" "}
            <button type="button" class="link" onClick={again}>
              Try again
            </button>
          </p>
        )}
        {lesson && <h1>{lesson.title}</h1>}
        {lesson && <LessonBody lesson={lesson} heading={null} />}
        {lesson && (
          <footer class="lesson-foot">
            <button
              type="button"
              class="button"
              data-testid="ask-about-lesson"
              onClick={() => {
                subject.value = lesson;
                go({ name: "new", courseId });
              }}
            >
              Ask about this lesson
            </button>
            <Neighbours lessonId={lessonId} />
          </footer>
        )}
      </article>
    </div>
  );
}

function Neighbours({ lessonId }: { lessonId: string }) {
  const all = lessons.value ?? [];
  const at = all.findIndex((item) => item.id === lessonId);
  const next = at >= 0 ? all[at + 1] : undefined;
  if (!next) return null;
  return (
    <a class="next-lesson" href={hrefOf({ name: "lesson", courseId: next.course_id, lessonId: next.id })}>
      Next: {next.title}
    </a>
  );
}
