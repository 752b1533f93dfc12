// A cited passage: its place in the course, the quote marked inside its surroundings, the way to the lesson.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError, messageOf } from "../api/client";
import { passages } from "../api/endpoints";
import type { Passage } from "../api/types";
import { openLesson, type Cited } from "../state/panel";
import { sentenceFor } from "../text/claim";
import { renderMarkdown } from "../text/markdown";
import { markQuote } from "../text/quote";
import { useDelayed } from "./dom";
import { Icon } from "./Icon";
import { PanelHead } from "./PanelHead";

type Loaded = { passage: Passage } | { problem: string } | null;

export function PassagePanel({ cited }: { cited: Cited }) {
  const [loaded, setLoaded] = useState<Loaded>(null);
  const load = (): void => {
    setLoaded(null);
    passages.get(cited.passage_id).then(
      (passage) => setLoaded({ passage }),
      (error: unknown) => setLoaded({ problem: problemOf(error) }),
    );
  };
  useEffect(load, [cited.passage_id]);
  // A link from outside names nothing but the passage; the rest is known once it is loaded.
  const shown = !cited.title && loaded && "passage" in loaded ? loaded.passage : cited;
  const path = shown.heading_path.filter((part) => part !== shown.title);
  return (
    <>
      <PanelHead
        eyebrow={cited.number ? `Source ${cited.number}` : "Source"}
        title={shown.title}
        path={path.join(" › ")}
      />
      <div class="panel-body">
        {loaded === null && <Waiting cited={cited} />}
        {loaded && "problem" in loaded && <Problem text={loaded.problem} cited={cited} again={load} />}
        {loaded && "passage" in loaded && <Surroundings passage={loaded.passage} cited={cited} />}
      </div>
      {shown.lesson_id && (
        <footer class="panel-foot">
          <button
            type="button"
            class="button"
            data-testid="open-lesson"
            onClick={() => openLesson(shown.lesson_id!, shown.heading_path.at(-1) ?? null, cited)}
          >
            <Icon name="book" size={18} />
            Open the lesson here
          </button>
        </footer>
      )}
    </>
  );
}

function Surroundings({ passage, cited }: { passage: Passage; cited: Cited }) {
  const text = useRef<HTMLDivElement>(null);
  const before = useRef<HTMLDivElement>(null);
  const after = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    before.current?.replaceChildren(renderMarkdown(passage.before));
    after.current?.replaceChildren(renderMarkdown(passage.after));
    const root = text.current;
    if (!root) return;
    root.replaceChildren(renderMarkdown(passage.text));
    const carries = sentenceFor(cited.claim ?? "", root);
    const marked = [cited.said, carries, cited.quote, passage.quote].some((quote) => quote && markQuote(root, quote));
    root.classList.toggle("whole", !marked);
    root.querySelector("mark")?.scrollIntoView({ block: "center" });
  }, [passage]);
  return (
    <div class="passage prose">
      {passage.before.trim() !== "" && <div class="passage-around" ref={before} />}
      <div class="passage-text" ref={text} data-testid="passage-text" />
      {passage.after.trim() !== "" && <div class="passage-around" ref={after} />}
    </div>
  );
}

function Waiting({ cited }: { cited: Cited }) {
  const late = useDelayed();
  if (cited.quote) return <blockquote class="passage-quote-only">{cited.quote}</blockquote>;
  return late ? <div class="skeleton" style={{ width: "80%" }} /> : null;
}

function Problem({ text, cited, again }: { text: string; cited: Cited; again: () => void }) {
  return (
    <>
      {cited.quote && <blockquote class="passage-quote-only">{cited.quote}</blockquote>}
      <div class="problem" role="alert">
        <Icon name="warn" size={18} />
        <p>{text}</p>
        <div class="problem-actions">
          <button type="button" class="button small" onClick={again}>
            Try again
          </button>
        </div>
      </div>
    </>
  );
}

function problemOf(error: unknown): string {
  if (error instanceof ApiError && error.status === 404)
    return "This passage is no longer in the course, or you may not see it any more.";
  return `The passage could not be loaded. ${messageOf(error)}`;
}
