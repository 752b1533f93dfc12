// Who changed what, the newest first: by days, by kind, by who did it or what it was done to, with before and after.
import { useState } from "preact/hooks";
import { insights, type AuditEntry, type AuditWanted } from "../../api/insights";
import { me } from "../../state/session";
import { actionName, KINDS } from "../../text/actions";
import { clockTime } from "../../text/time";
import { Value } from "../Exact";
import { TextField } from "../fields";
import { Icon } from "../Icon";
import { Loading } from "../Loading";
import { usePages } from "../usePages";
import { More } from "./More";

/** One of actor, kind and thing at a time: that is what can be asked. */
interface By {
  name: "actor_id" | "action" | "thing_id";
  value: string;
  /** How it is called on the page. */
  label: string;
}

interface Asked {
  site: boolean;
  from: string;
  to: string;
  by: By | null;
}

export function Audit() {
  const organization = me.value?.organization ?? null;
  const [asked, setAsked] = useState<Asked>({ site: organization === null, from: "", to: "", by: null });
  const load = (after: string | null) => insights.audit(wantedOf(asked, organization?.id ?? null), after);
  const { items, problem, more, again } = usePages(load, JSON.stringify(asked));
  return (
    <>
      <Filters asked={asked} onChange={setAsked} organization={organization?.name ?? null} />
      {(!items || problem) && <Loading what="The audit" problem={problem} again={again} />}
      {items?.length === 0 && <p class="quiet">Nothing is found.</p>}
      <ol class="rows" data-testid="audit">
        {items?.map((each) => (
          <Entry key={each.id} entry={each} onBy={(by) => setAsked({ ...asked, by })} />
        ))}
      </ol>
      <More more={more} />
    </>
  );
}

function wantedOf({ site, from, to, by }: Asked, organizationId: string | null): AuditWanted {
  return {
    organization_id: site ? null : organizationId,
    ...(by && { [by.name]: by.value }),
    from: from && new Date(`${from}T00:00`).toISOString(),
    // Days are those of the reader's clock, the last of them whole.
    to: to && new Date(new Date(`${to}T00:00`).getTime() + 86_400_000).toISOString(),
  };
}

interface FilterProps {
  asked: Asked;
  onChange: (asked: Asked) => void;
  organization: string | null;
}

function Filters({ asked, onChange, organization }: FilterProps) {
  const { by } = asked;
  const kind = by?.name === "action" ? by.value : "";
  const choose = (action: string): void =>
    onChange({ ...asked, by: action ? { name: "action", value: action, label: KINDS[action] ?? action } : null });
  return (
    <div class="audit-filters">
      <label class="field">
        <span>Kind</span>
        <select value={kind} onChange={(event) => choose(event.currentTarget.value)} data-testid="audit-kind">
          <option value="">Everything</option>
          {Object.entries(KINDS).map(([action, name]) => (
            <option key={action} value={action}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <TextField label="From" type="date" value={asked.from} onInput={(from) => onChange({ ...asked, from })} testId="audit-from" />
      <TextField label="To" type="date" value={asked.to} onInput={(to) => onChange({ ...asked, to })} testId="audit-to" />
      {me.value?.role === "site_admin" && organization && (
        <label class="field">
          <span>Where</span>
          <select
            value={asked.site ? "site" : "here"}
            onChange={(event) => onChange({ ...asked, site: event.currentTarget.value === "site" })}
            data-testid="audit-where"
          >
            <option value="here">{organization}</option>
            <option value="site">The whole site</option>
          </select>
        </label>
      )}
      {by && by.name !== "action" && (
        <p class="audit-by" data-testid="audit-by">
          Only {by.name === "actor_id" ? "what was done by" : "what was done to"} {by.label}{" "}
          <button type="button" class="link" onClick={() => onChange({ ...asked, by: null })}>
            Show everything
          </button>
        </p>
      )}
    </div>
  );
}

function Entry({ entry, onBy }: { entry: AuditEntry; onBy: (by: By) => void }) {
  const [open, setOpen] = useState(false);
  const who = entry.actor_name ?? (entry.actor_id ? "Somebody who is gone" : "The server");
  return (
    <li data-testid="audit-entry" data-action={entry.action}>
      <button type="button" class="row-link source-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class="row-text">
          <span class="row-title" dir="auto">
            {actionName(entry.action)}
            {entry.thing_name && `: ${entry.thing_name}`}
          </span>
          <span class="row-detail">
            {who} · {clockTime(entry.at)}
          </span>
        </span>
        <Icon name="chevron" size={18} />
      </button>
      {open && <Inside entry={entry} who={who} onBy={onBy} />}
    </li>
  );
}

function Inside({ entry, who, onBy }: { entry: AuditEntry; who: string; onBy: (by: By) => void }) {
  const { actor_id: actor, thing_id: thing, thing_name: name } = entry;
  const facts: [string, string | null][] = [
    ["Action", entry.action],
    ["As", entry.actor_role],
    ["From", entry.address],
    ["Request", entry.request_id],
  ];
  return (
    <div class="source-inside">
      <Changes before={entry.before} after={entry.after} />
      <dl class="audit-facts">
        {facts.map(
          ([title, value]) =>
            value && (
              <div key={title}>
                <dt>{title}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      <div class="row-actions">
        {actor && (
          <button type="button" class="link" onClick={() => onBy({ name: "actor_id", value: actor, label: who })} data-testid="audit-same-actor">
            Everything by {who}
          </button>
        )}
        {thing && (
          <button type="button" class="link" onClick={() => onBy({ name: "thing_id", value: thing, label: name ?? thing })} data-testid="audit-same-thing">
            Everything about {name ?? thing}
          </button>
        )}
      </div>
    </div>
  );
}

function Changes({ before, after }: Pick<AuditEntry, "before" | "after">) {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  if (names.length === 0) return null;
  return (
    <table class="changes" data-testid="audit-changes">
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {names.map((name) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="change-before" data-label="Before">
              <Value value={before?.[name]} />
            </td>
            <td data-label="After">
              <Value value={after?.[name]} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
