// Questions that the material has to answer: how many are, and which got worse when it changed.
import { useState } from "preact/hooks";
import { messageOf } from "../api/client";
import { golden } from "../api/endpoints";
import type { GoldenQuestion, GoldenReport } from "../api/types";
import { announce } from "../state/notices";
import { Loading, Problems } from "./Loading";
import { useLoaded } from "./useLoaded";

interface Standing {
  report: GoldenReport;
  worse: GoldenQuestion[];
}

async function standing(courseId: string): Promise<Standing> {
  const [report, worse] = await Promise.all([golden.report(courseId), golden.worse(courseId)]);
  return { report, worse: worse.items };
}

export function Golden({ courseId, changed }: { courseId: string; changed: string }) {
  const { value, problem, again } = useLoaded(() => standing(courseId), `${courseId} ${changed}`);
  const [problems, setProblems] = useState<string[]>([]);
  const act = async (what: () => Promise<unknown>, said: string): Promise<void> => {
    setProblems([]);
    try {
      await what();
      announce(said);
      again();
    } catch (error) {
      setProblems([messageOf(error)]);
    }
  };
  return (
    <section class="golden" aria-labelledby="golden-title" data-testid="golden">
      <h2 id="golden-title">Golden questions</h2>
      {!value && <Loading what="The questions" problem={problem} again={again} />}
      {value && <Said standing={value} />}
      <Problems problems={problems} />
      <NewQuestion add={(question, document) => act(() => golden.add(courseId, question, document), "Added the question.")} />
      {value && value.report.questions > 0 && (
        <div class="approval-buttons">
          <button type="button" class="button" onClick={() => void act(() => golden.check(courseId), "They are asked now.")}>
            Ask them now
          </button>
          {value.report.worse > 0 && (
            <button
              type="button"
              class="button plain"
              data-testid="golden-accept"
              onClick={() => void act(() => golden.accept(courseId), "Taken as it is.")}
            >
              That is how it should be
            </button>
          )}
          <button type="button" class="button plain" onClick={again}>
            Look again
          </button>
        </div>
      )}
    </section>
  );
}

function Said({ standing: { report, worse } }: { standing: Standing }) {
  if (report.questions === 0)
    return <p class="quiet">Keep questions that the material has to answer; you are told here when answers get worse.</p>;
  return (
    <>
      <p data-testid="golden-report">
        {report.worse > 0 && <strong class="golden-worse">{report.worse === 1 ? "1 answer got worse. " : `${report.worse} answers got worse. `}</strong>}
        {report.checked < report.questions ? "They are being asked. " : ""}
        {report.found} of {report.questions} are answered.
      </p>
      {worse.length > 0 && (
        <ul class="rows">
          {worse.map((each) => (
            <li key={each.id} class="golden-row">
              <span class="row-title" dir="auto">
                {each.question}
              </span>
              <span class="row-detail" dir="auto">
                {each.place ? `Place ${each.place}` : "Not found"}, was {each.best} · {each.document}
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function NewQuestion({ add }: { add: (question: string, document: string) => Promise<void> }) {
  const [question, setQuestion] = useState("");
  const [document, setDocument] = useState("");
  return (
    <form
      class="golden-new"
      onSubmit={(event) => {
        event.preventDefault();
        void add(question, document).then(() => (setQuestion(""), setDocument("")));
      }}
    >
      <label class="field">
        Question
        <input value={question} maxLength={1000} required onInput={(event) => setQuestion(event.currentTarget.value)} data-testid="golden-question" />
      </label>
      <label class="field">
        Document that answers it
        <input
          value={document}
          maxLength={1000}
          required
          placeholder="Path or title"
          onInput={(event) => setDocument(event.currentTarget.value)}
          data-testid="golden-document"
        />
      </label>
      <button type="submit" class="button" data-testid="golden-add">
        Add
      </button>
    </form>
  );
}
