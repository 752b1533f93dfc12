// Before the first question: what can be asked, who can read it, and what answers.
import { useEffect } from "preact/hooks";
import type { Conversation } from "../state/conversation";
import { course, lessons, loadLessons } from "../state/courses";
import { startersFor } from "../text/starters";
import { fillComposer } from "./composerText";

export function EmptyState({ conversation }: { conversation: Conversation }) {
  const { courseId } = conversation;
  useEffect(() => {
    if (courseId) void loadLessons(courseId);
  }, [courseId]);
  const starters = startersFor(lessons.value ?? []);
  const here = course.value;
  return (
    <section class="empty" data-testid="empty-state">
      <p class="empty-eyebrow">{here ? "Ask about" : "Ask"}</p>
      <h1>{here ? here.title : "A general question"}</h1>
      <p class="empty-lead">{here ? leadOf(here.lesson_count) : GENERAL_LEAD}</p>
      {starters.length > 0 && (
        <ul class="starters" aria-label="Questions to begin with">
          {starters.map((text) => (
            <li key={text}>
              <button
                type="button"
                class="starter"
                data-testid="starter"
                onClick={() => fillComposer(conversation.place.value, text)}
              >
                {text}
              </button>
            </li>
          ))}
        </ul>
      )}
      <p class="empty-note" data-testid="ai-notice">
        Answers are written by software and can be wrong. Only you can read this conversation.
      </p>
    </section>
  );
}

const GENERAL_LEAD = "This conversation belongs to no course. Choose a course at the left to ask its lessons.";

function leadOf(count: number): string {
  if (count === 0) return "This course has no lessons yet. You can still ask; there will be nothing to cite.";
  const lessonsText = count === 1 ? "its one lesson" : `its ${count} lessons`;
  return `Answers come from ${lessonsText} and show where they were read.`;
}
