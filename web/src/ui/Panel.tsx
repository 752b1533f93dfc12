// The side panel: beside the conversation where there is room, a sheet over it where there is not.
import { useEffect, useRef } from "preact/hooks";
import { closePanel, panel, type PanelView } from "../state/panel";
import { wide } from "../state/surroundings";
import { LessonPanel } from "./LessonPanel";
import { PassagePanel } from "./PassagePanel";
import { keepFocusInside } from "./focusTrap";

export function Panel() {
  const view = panel.value;
  const root = useRef<HTMLElement>(null);
  const sheet = !wide.value;
  useEffect(() => {
    if (view) root.current?.querySelector<HTMLElement>("[data-panel-title]")?.focus({ preventScroll: true });
  }, [view]);
  if (!view) return null;
  return (
    <>
      {sheet && <div class="backdrop" onClick={closePanel} data-testid="panel-backdrop" />}
      <section
        ref={root}
        class={sheet ? "panel sheet" : "panel"}
        role={sheet ? "dialog" : "complementary"}
        aria-modal={sheet ? true : undefined}
        aria-label={nameOf(view)}
        data-testid={testId(view)}
        onKeyDown={sheet ? keepFocusInside : undefined}
      >
        {view.kind === "passage" ? (
          <PassagePanel key={view.cited.passage_id} cited={view.cited} />
        ) : (
          <LessonPanel key={view.lessonId} view={view} />
        )}
      </section>
    </>
  );
}

function nameOf(view: PanelView): string {
  return view.kind === "passage" ? `Source ${view.cited.number}` : "Lesson";
}

function testId(view: PanelView): string {
  return view.kind === "passage" ? "passage-panel" : "lesson-panel";
}
