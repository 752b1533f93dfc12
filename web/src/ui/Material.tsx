// What a course's assistants read: its sources and how they stand, a place to drop files, and questions to be answered.
import { useEffect, useRef, useState } from "preact/hooks";
import { messageOf } from "../api/client";
import { sources } from "../api/endpoints";
import type { Source } from "../api/types";
import { course } from "../state/courses";
import { announce } from "../state/notices";
import { Icon } from "./Icon";
import { Loading, Problems } from "./Loading";
import { Golden } from "./MaterialGolden";
import { SourceItem } from "./MaterialSource";
import { everyPage, useLoaded } from "./useLoaded";

/** So many are followed live at once: a browser opens few connections to one server. */
const FOLLOWED = 3;
const MOVING: readonly string[] = ["waiting", "indexing"];

export function Material({ courseId }: { courseId: string }) {
  const load = () => everyPage((after) => sources.list(courseId, after));
  const { value, problem, again, set } = useLoaded(load, courseId);
  const put = (changed: Source): void =>
    set((value ?? []).map((each) => (each.id === changed.id ? { ...each, ...changed } : each)));
  const take = (added: Source): void => set([...(value ?? []).filter((each) => each.id !== added.id), added]);
  const drop = (id: string): void => set((value ?? []).filter((each) => each.id !== id));
  const moving = (value ?? []).filter((each) => MOVING.includes(each.state)).map((each) => each.id);
  useFollowed(moving.slice(0, FOLLOWED), put);
  return (
    <div class="page-scroll" data-testid="manage-material">
      <div class="page-column manage">
        <p class="empty-eyebrow">{course.value?.title ?? "This course"}</p>
        <h1>Material</h1>
        <p class="manage-lead">What assistants in this course read and cite, beside what is there for the whole organization.</p>
        <DropPlace courseId={courseId} taken={take} />
        {!value && <Loading what="The material" problem={problem} again={again} />}
        {value?.length === 0 && <p class="quiet">Nothing is here yet. Drop a file above, or write lessons.</p>}
        <ul class="rows">
          {value?.map((each) => (
            <SourceItem key={each.id} source={each} put={put} drop={drop} />
          ))}
        </ul>
        <Golden courseId={courseId} changed={value?.map((each) => each.updated_at).join() ?? ""} />
      </div>
    </div>
  );
}

/** Follow sources that are being read, each until it has been. */
function useFollowed(ids: string[], put: (changed: Source) => void): void {
  const latest = useRef(put);
  latest.current = put;
  useEffect(() => {
    const streams = ids.map((id) => {
      const stream = new EventSource(sources.events(id));
      stream.addEventListener("source.progress", (event) => latest.current(JSON.parse(event.data) as Source));
      stream.addEventListener("source.finished", () => {
        stream.close();
        void sources.get(id).then((found) => latest.current(found), () => undefined);
      });
      return stream;
    });
    return () => streams.forEach((stream) => stream.close());
  }, [ids.join()]);
}

function DropPlace({ courseId, taken }: { courseId: string; taken: (source: Source) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [sending, setSending] = useState<string | null>(null);
  const [problems, setProblems] = useState<string[]>([]);
  const send = async (files: FileList | null): Promise<void> => {
    setProblems([]);
    for (const file of [...(files ?? [])]) {
      setSending(file.name);
      try {
        const source = await sources.upload(courseId, file);
        taken(source);
        announce(`Added ${file.name}.`);
      } catch (error) {
        setProblems((before) => [...before, `${file.name}: ${messageOf(error)}`]);
      }
    }
    setSending(null);
  };
  return (
    <div>
      <div
        class="drop-place"
        data-over={over}
        data-testid="drop-place"
        onDragOver={(event) => (event.preventDefault(), setOver(true))}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          void send(event.dataTransfer?.files ?? null);
        }}
      >
        <p>{sending ? `Reading ${sending} …` : "Drop files here: Markdown, PDF, Word, slides, tables, code, or a zip of them."}</p>
        <button type="button" class="button" disabled={sending !== null} onClick={() => input.current?.click()}>
          <Icon name="plus" size={18} />
          Choose files
        </button>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          data-testid="material-file"
          aria-label="Files to add"
          onChange={(event) => {
            void send(event.currentTarget.files);
            event.currentTarget.value = "";
          }}
        />
      </div>
      <Problems problems={problems} />
    </div>
  );
}
