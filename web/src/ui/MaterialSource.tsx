// One source: how it stands, what is in it and what could not be read, and what can be done about it.
import { useState } from "preact/hooks";
import { sources } from "../api/endpoints";
import type { Source } from "../api/types";
import { announce } from "../state/notices";
import { now } from "../state/surroundings";
import { age } from "../text/time";
import { Exact } from "./Exact";
import { Icon } from "./Icon";
import { Loading, Problems } from "./Loading";
import { Sure } from "./Sure";
import { useLoaded } from "./useLoaded";
import { useSend } from "./useSend";

const KINDS: Record<Source["kind"], string> = {
  lessons: "Lessons of this course",
  folder: "Folder on the server",
  upload: "Upload",
  git: "Repository",
  urls: "Web pages",
  openapi: "API",
};
const STATES: Record<Source["state"], [tone: string, text: string]> = {
  waiting: ["off", "Waits to be read"],
  indexing: ["off", "Being read"],
  ready: ["good", "Ready"],
  failed: ["bad", "Not read"],
};

interface Props {
  source: Source;
  put: (source: Source) => void;
  drop: (id: string) => void;
}

export function SourceItem({ source, put, drop }: Props) {
  const [open, setOpen] = useState(false);
  const partly = source.state === "ready" && source.failed > 0;
  const [tone, text] = partly ? ["warn", "Read in part"] : STATES[source.state];
  return (
    <li data-testid="source-item" data-state={source.state}>
      <button type="button" class="row-link source-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class="row-text">
          <span class="row-title" dir="auto">
            <Exact text={source.name} />
          </span>
          <span class="row-detail">{detailOf(source)}</span>
        </span>
        <span class={`health health-${tone}`}>{text}</span>
        <Icon name="chevron" size={18} />
      </button>
      {source.state === "indexing" && <Progress source={source} />}
      {source.error && (
        <p class="approval-problem" data-testid="source-problem">
          <Exact text={source.error} />
        </p>
      )}
      {open && <Inside source={source} put={put} drop={drop} />}
    </li>
  );
}

function detailOf(source: Source): string {
  const documents = source.documents === 1 ? "1 document" : `${source.documents} documents`;
  const failed = source.failed > 0 ? `, ${source.failed} not read` : "";
  return `${KINDS[source.kind]} · ${documents}${failed}`;
}

function Progress({ source }: { source: Source }) {
  return (
    <p class="source-progress" data-testid="source-progress">
      <progress max={source.total || 1} value={source.done} aria-label={`Reading ${source.name}`} />
      <span class="row-detail">
        {source.done} of {source.total}
      </span>
    </p>
  );
}

function Inside({ source, put, drop }: Props) {
  return (
    <div class="source-inside">
      <Documents source={source} />
      {source.skipped.length > 0 && (
        <details class="manage-notes">
          <summary>{source.skipped.length === 1 ? "1 thing was left out" : `${source.skipped.length} things were left out`}</summary>
          <ul>
            {source.skipped.map((each) => (
              <li key={each.path} dir="auto">
                <Exact text={each.path} />: {each.reason}
              </li>
            ))}
          </ul>
        </details>
      )}
      {source.checked_at && <p class="quiet">Looked through {age(source.checked_at, now.value)}.</p>}
      {source.kind !== "lessons" && <Actions source={source} put={put} drop={drop} />}
    </div>
  );
}

/** The first hundred by path; those that could not be read say why. */
function Documents({ source }: { source: Source }) {
  const { value, problem, again } = useLoaded(() => sources.documents(source.id), `${source.id} ${source.updated_at}`);
  if (!value) return <Loading what="The documents" problem={problem} again={again} />;
  return (
    <>
      <ul class="source-documents" data-testid="source-documents">
        {value.items.map((each) => (
          <li key={each.id} data-state={each.state}>
            <span class="source-path" dir="auto">
              <Exact text={each.path} />
            </span>
            {each.error ? (
              <span class="source-why">{each.error}</span>
            ) : (
              !each.published && <span class="row-detail">draft</span>
            )}
          </li>
        ))}
      </ul>
      {value.next && <p class="quiet">And more: {source.documents} in all.</p>}
    </>
  );
}

function Actions({ source, put, drop }: Props) {
  const { busy, general, send } = useSend();
  const again = async (): Promise<void> => {
    put(await sources.run(source.id));
    announce(`${source.name} is read again.`);
  };
  const remove = async (): Promise<void> => {
    await sources.remove(source.id);
    announce(`Removed ${source.name}.`);
    drop(source.id);
  };
  return (
    <div class="manage-actions">
      <Problems problems={general} />
      <div class="approval-buttons">
        {source.kind !== "upload" && (
          <button type="button" class="button" disabled={busy} onClick={() => void send(again)} data-testid="read-again">
            Read again
          </button>
        )}
        <Sure
          label="Remove"
          warning="Its documents are not found any more, and citations of them do not open."
          busy={busy}
          testId="remove-source"
          onSure={() => void send(remove)}
        />
      </div>
    </div>
  );
}
