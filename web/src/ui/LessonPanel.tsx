// A lesson beside the conversation, opened at the heading that was cited.
import type { Lesson } from "../api/types";
import { closePanel, panel, type PanelView } from "../state/panel";
import { subject } from "../state/conversations";
import { hrefOf } from "../state/route";
import { focusComposer } from "./dom";
import { LessonBody, useLesson } from "./LessonBody";
import { PanelHead } from "./PanelHead";

export function LessonPanel({ view }: { view: Extract<PanelView, { kind: "lesson" }> }) {
  const { lesson, problem, again } = useLesson(view.lessonId);
  const { from } = view;
  const back = from ? () => (panel.value = { kind: "passage", cited: from }) : undefined;
  return (
    <>
      <PanelHead eyebrow="Lesson" title={lesson?.title ?? from?.title ?? "Lesson"} {...(back && { back })} />
      <div class="panel-body" data-testid="lesson-body">
        {problem && (
          <p class="quiet" role="alert">
            {problem}{" "}
            <button type="button" class="link" onClick={again}>
              Try again
            </button>
          </p>
        )}
        {lesson && <LessonBody lesson={lesson} heading={view.heading} />}
      </div>
      {lesson && <LessonFoot lesson={lesson} />}
    </>
  );
}

function LessonFoot({ lesson }: { lesson: Lesson }) {
  const ask = (): void => {
    subject.value = lesson;
    closePanel();
    requestAnimationFrame(() => requestAnimationFrame(focusComposer));
  };
  return (
    <footer class="panel-foot">
      <button type="button" class="button" data-testid="ask-about-lesson" onClick={ask}>
        Ask about this lesson
      </button>
      <a
        class="button plain"
        href={hrefOf({ name: "lesson", courseId: lesson.course_id, lessonId: lesson.id })}
        data-testid="read-lesson"
      >
        Read full width
      </a>
    </footer>
  );
}
