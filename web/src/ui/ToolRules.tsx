// Which calls are made at once, wait for somebody, or are not made: rules in their order, saved all together.
import { useEffect, useRef, useState } from "preact/hooks";
import { toolRules } from "../api/endpoints";
import type { Approver, Decision, ToolRule } from "../api/connections";
import { problemsOf } from "../state/confirming";
import { announce } from "../state/notices";
import { Icon } from "./Icon";
import { Loading, Problems } from "./Loading";
import { useLoaded } from "./useLoaded";

const DECISIONS: Record<Decision, string> = { allow: "done at once", ask: "asked about", deny: "never done" };
const APPROVERS: Record<Approver, string> = {
  asker: "whoever asked",
  teacher: "a teacher",
  organization_admin: "an administrator",
};

export function ToolRules({ organizationId }: { organizationId: string }) {
  const { value, problem, again, set } = useLoaded(() => toolRules.get(organizationId), organizationId);
  return (
    <>
      <p class="manage-lead">
        The first rule that fits a tool counts, and of these and an assistant’s own the stricter. What removes something is
        asked about whatever they say.
      </p>
      {!value && <Loading what="The rules" problem={problem} again={again} />}
      {value && <Editor saved={value.rules} save={(rules) => toolRules.set(organizationId, rules).then(set)} />}
    </>
  );
}

function Editor({ saved, save }: { saved: ToolRule[]; save: (rules: ToolRule[]) => Promise<void> }) {
  const [rules, setRules] = useState(saved);
  const [problems, setProblems] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => setRules(saved), [saved]);
  const changed = JSON.stringify(rules) !== JSON.stringify(saved);
  const put = (at: number, change: Partial<ToolRule>) =>
    setRules(rules.map((rule, index) => (index === at ? { ...rule, ...change } : rule)));
  const move = (at: number, by: number): void => {
    const next = [...rules];
    next.splice(at + by, 0, ...next.splice(at, 1));
    setRules(next);
  };
  const add = (): void => {
    setRules([...rules, { tools: "", decision: "ask", approver: "asker" }]);
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>("li:last-child input")?.focus());
  };
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblems([]);
    try {
      await save(rules);
      announce("The rules are saved.");
    } catch (error) {
      setProblems(problemsOf(error).map(readable));
    }
    setBusy(false);
  };
  return (
    <form class="manage-rules" onSubmit={(event) => void send(event)} data-testid="rules-form">
      {rules.length === 0 && <p class="quiet">There is no rule: what only reads is done, and so is what changes something here.</p>}
      <ol class="rows" ref={list}>
        {rules.map((rule, index) => (
          <Rule
            key={index}
            rule={rule}
            number={index + 1}
            last={index === rules.length - 1}
            onChange={(change) => put(index, change)}
            onMove={(by) => move(index, by)}
            onRemove={() => setRules(rules.filter((_, at) => at !== index))}
          />
        ))}
      </ol>
      <Problems problems={problems} />
      <div class="approval-buttons">
        <button type="button" class="button" onClick={add} data-testid="add-rule">
          <Icon name="plus" size={18} />
          Add a rule
        </button>
        <button type="submit" class="button primary" disabled={busy || !changed} data-testid="save-rules">
          {changed ? "Save" : "Saved"}
        </button>
      </div>
    </form>
  );
}

/** `rules.0.tools: …` as a person counts. */
function readable(problem: string): string {
  return problem.replace(/^(?:body\.)?rules\.(\d+)\.\w+: /, (_, at: string) => `Rule ${Number(at) + 1}: `);
}

interface RuleProps {
  rule: ToolRule;
  number: number;
  last: boolean;
  onChange: (change: Partial<ToolRule>) => void;
  onMove: (by: number) => void;
  onRemove: () => void;
}

function Rule({ rule, number, last, onChange, onMove, onRemove }: RuleProps) {
  return (
    <li class="rule" data-testid="rule">
      <span class="rule-number">{number}</span>
      <input
        type="text"
        class="rule-tools"
        aria-label={`Rule ${number}: names of tools, with * for any characters`}
        placeholder="archive_*"
        spellcheck={false}
        required
        value={rule.tools}
        onInput={(event) => onChange({ tools: event.currentTarget.value })}
        data-testid="rule-tools"
      />
      <select
        aria-label={`Rule ${number}: such calls are`}
        value={rule.decision}
        onChange={(event) => onChange({ decision: event.currentTarget.value as Decision })}
        data-testid="rule-decision"
      >
        {(Object.keys(DECISIONS) as Decision[]).map((each) => (
          <option key={each} value={each}>
            {DECISIONS[each]}
          </option>
        ))}
      </select>
      {rule.decision === "ask" && (
        <label class="rule-approver">
          <span>yes by</span>
          <select
            value={rule.approver}
            onChange={(event) => onChange({ approver: event.currentTarget.value as Approver })}
            data-testid="rule-approver"
          >
            {(Object.keys(APPROVERS) as Approver[]).map((each) => (
              <option key={each} value={each}>
                {APPROVERS[each]}
              </option>
            ))}
          </select>
        </label>
      )}
      <span class="rule-buttons">
        <button type="button" class="icon-button" disabled={number === 1} aria-label={`Move rule ${number} up`} onClick={() => onMove(-1)}>
          <Icon name="send" size={18} />
        </button>
        <button type="button" class="icon-button" disabled={last} aria-label={`Move rule ${number} down`} onClick={() => onMove(1)}>
          <Icon name="arrowDown" size={18} />
        </button>
        <button type="button" class="icon-button" aria-label={`Remove rule ${number}`} onClick={onRemove} data-testid="remove-rule">
          <Icon name="trash" size={18} />
        </button>
      </span>
    </li>
  );
}
