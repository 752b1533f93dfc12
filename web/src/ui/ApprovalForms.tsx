// What can be said to a call besides a plain yes: no, with a reason; or yes, with other arguments.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { editedOf, fieldsOf, type Field } from "../text/given";
import { Exact } from "./Exact";

/** One layer per press of Escape: the form closes, and the answer is not stopped. */
function closesWith(onBack: () => void) {
  return (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    onBack();
  };
}

interface DenyProps {
  busy: boolean;
  onBack: () => void;
  onDeny: (reason: string) => void;
}

export function DenyForm({ busy, onBack, onDeny }: DenyProps) {
  const [reason, setReason] = useState("");
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.focus(), []);
  const send = (event: Event): void => {
    event.preventDefault();
    if (!busy) onDeny(reason.trim());
  };
  return (
    <form class="approval-form" onSubmit={send} onKeyDown={closesWith(onBack)} data-testid="deny-form">
      <label class="field">
        <span>
          Why not? <span class="quiet">The assistant is told. May stay empty.</span>
        </span>
        <input
          ref={box}
          type="text"
          value={reason}
          maxLength={1000}
          onInput={(event) => setReason(event.currentTarget.value)}
          data-testid="deny-reason"
        />
      </label>
      <div class="approval-buttons">
        <button type="submit" class="button" disabled={busy} data-testid="deny-send">
          Deny
        </button>
        <button type="button" class="button plain" disabled={busy} onClick={onBack}>
          Back
        </button>
      </div>
    </form>
  );
}

interface EditProps {
  json: string;
  busy: boolean;
  onBack: () => void;
  onApprove: (changed: Record<string, unknown> | null) => void;
}

export function EditForm({ json, busy, onBack, onApprove }: EditProps) {
  const fields = useMemo(() => fieldsOf(json) ?? [], [json]);
  const [drafts, setDrafts] = useState(() => fields.map((field) => field.draft));
  const [problem, setProblem] = useState("");
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("textarea")?.focus(), []);
  const send = (event: Event): void => {
    event.preventDefault();
    const edited = editedOf(fields, drafts);
    setProblem("problem" in edited ? edited.problem : "");
    if (!busy && !("problem" in edited)) onApprove(edited.arguments);
  };
  const changed = fields.some((field, index) => drafts[index] !== field.draft);
  return (
    <form ref={form} class="approval-form" onSubmit={send} onKeyDown={closesWith(onBack)} data-testid="edit-form">
      {fields.map((field, index) => (
        <EditField
          key={field.name}
          field={field}
          draft={drafts[index] ?? ""}
          onDraft={(text) => setDrafts(drafts.map((draft, at) => (at === index ? text : draft)))}
        />
      ))}
      {problem && (
        <p class="field-problem" role="alert" data-testid="edit-problem">
          {problem}
        </p>
      )}
      <div class="approval-buttons">
        <button type="submit" class="button approve" disabled={busy} data-testid="edit-send">
          {changed ? "Approve with changes" : "Approve"}
        </button>
        <button type="button" class="button plain" disabled={busy} onClick={onBack}>
          Back
        </button>
      </div>
    </form>
  );
}

/** A guess, for browsers that do not size a box by what is in it. */
function rowsOf(draft: string): number {
  return Math.min(
    10,
    draft.split("\n").reduce((rows, line) => rows + Math.max(1, Math.ceil(line.length / 80)), 0),
  );
}

function EditField({ field, draft, onDraft }: { field: Field; draft: string; onDraft: (text: string) => void }) {
  return (
    <label class="field">
      <span>
        <Exact text={field.name} /> {field.kind === "json" && <span class="quiet">as JSON</span>}
      </span>
      <textarea
        class={field.kind}
        dir={field.kind === "json" ? "ltr" : "auto"}
        rows={rowsOf(draft)}
        value={draft}
        spellcheck={field.kind === "text"}
        onInput={(event) => onDraft(event.currentTarget.value)}
        data-testid="edit-field"
        data-name={field.name}
      />
    </label>
  );
}
