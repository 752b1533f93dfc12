// The tools of a connection: what each is taken to do, and of an MCP server which of them may be used, as they were found.
import { useState } from "preact/hooks";
import { messageOf } from "../api/client";
import type { Connection, ConnectionTool, ConnectionTools as Tools } from "../api/connections";
import { connections } from "../api/endpoints";
import type { Effect } from "../api/types";
import { announce } from "../state/notices";
import { Exact, JsonText } from "./Exact";
import { Loading, Problems } from "./Loading";
import { useLoaded } from "./useLoaded";

const EFFECTS: Record<Effect, string> = { reads: "only reads", writes: "changes something", destroys: "removes something" };

const MARKS: Record<ConnectionTool["approval"], string> = {
  approved: "Approved",
  changed: "Changed since it was approved",
  new: "Not approved",
};

interface Props {
  connection: Connection;
  set: (value: Connection) => void;
}

export function ConnectionTools({ connection, set }: Props) {
  const { value, problem, again, set: put } = useLoaded(() => connections.tools(connection.id), connection.id);
  return (
    <section class="manage-tools" aria-labelledby="tools-title">
      <h2 id="tools-title">Tools</h2>
      {!value && <Loading what="The tools" problem={problem} again={again} />}
      {value?.items.length === 0 && <p class="quiet">None was found.</p>}
      {value && value.items.length > 0 && <List connection={connection} tools={value} set={set} put={put} />}
    </section>
  );
}

function List({ connection, tools, set, put }: Props & { tools: Tools; put: (value: Tools) => void }) {
  const [chosen, setChosen] = useState(() => new Set(approved(tools)));
  const [problems, setProblems] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const pinned = connection.kind === "mcp";
  const settled = approved(tools);
  const changed = chosen.size !== settled.length || settled.some((name) => !chosen.has(name));
  const act = async (what: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setProblems([]);
    await what().catch((error) => setProblems([messageOf(error)]));
    setBusy(false);
  };
  const choose = (name: string): void => {
    const next = new Set(chosen);
    if (!next.delete(name)) next.add(name);
    setChosen(next);
  };
  const turnTo = (tool: ConnectionTool, effect: Effect) =>
    act(async () => {
      set(await connections.change(connection.id, { effects: { ...connection.effects, [tool.name]: effect } }));
      put({ ...tools, items: tools.items.map((each) => (each.name === tool.name ? { ...each, effect } : each)) });
      announce(`${tool.name} counts as a tool that ${EFFECTS[effect]}.`);
    });
  const approve = () =>
    act(async () => {
      put(await connections.approve(connection.id, tools.document_hash ?? "", [...chosen]));
      announce(`${chosen.size} tools may be used.`);
    });
  return (
    <>
      <p class="quiet">
        {pinned
          ? "Read what each of them says: a model will read the same. Only what is approved may be used, as it was found."
          : "A person is asked before what changes or removes something is done, unless a rule says otherwise."}
      </p>
      <ul class="rows">
        {tools.items.map((tool) => (
          <Tool
            key={tool.name}
            tool={tool}
            busy={busy}
            chosen={pinned ? chosen.has(tool.name) : null}
            onChoose={() => choose(tool.name)}
            onEffect={(effect) => void turnTo(tool, effect)}
          />
        ))}
      </ul>
      <Problems problems={problems} />
      {pinned && (
        <button type="button" class="button primary" disabled={busy || !changed} onClick={() => void approve()} data-testid="approve-tools">
          {chosen.size === 0 && changed ? "Let none be used" : `Let ${chosen.size} of ${tools.items.length} be used`}
        </button>
      )}
    </>
  );
}

function approved(tools: Tools): string[] {
  return tools.items.filter((tool) => tool.approval === "approved").map((tool) => tool.name);
}

interface ToolProps {
  tool: ConnectionTool;
  busy: boolean;
  /** null where tools are not approved one by one. */
  chosen: boolean | null;
  onChoose: () => void;
  onEffect: (effect: Effect) => void;
}

function Tool({ tool, busy, chosen, onChoose, onEffect }: ToolProps) {
  return (
    <li class="tool-row" data-testid="tool-row" data-name={tool.name} data-approval={tool.approval}>
      <div class="tool-head">
        {chosen === null ? (
          <code class="row-title">
            <Exact text={tool.name} />
          </code>
        ) : (
          <label class="tool-choice">
            <input type="checkbox" checked={chosen} disabled={busy} onChange={onChoose} data-testid="choose-tool" />
            <code class="row-title">
              <Exact text={tool.name} />
            </code>
          </label>
        )}
        {(chosen !== null || tool.approval !== "approved") && (
          <span class={`health health-${tool.approval === "approved" ? "good" : tool.approval === "changed" ? "bad" : "off"}`}>
            {chosen === null ? "Not let in" : MARKS[tool.approval]}
          </span>
        )}
        <label class="tool-effect">
          <span class="visually-hidden">What {tool.name} does: it</span>
          <select
            value={tool.effect}
            disabled={busy}
            onChange={(event) => onEffect(event.currentTarget.value as Effect)}
            data-testid="tool-effect"
          >
            {(Object.keys(EFFECTS) as Effect[]).map((effect) => (
              <option key={effect} value={effect}>
                {EFFECTS[effect]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {tool.description && (
        <p class="exact tool-said" dir="auto">
          <Exact text={tool.description} />
        </p>
      )}
      {Object.keys(tool.parameters).length > 0 && (
        <details class="manage-notes">
          <summary>What it is given</summary>
          <JsonText json={JSON.stringify(tool.parameters, null, 2)} />
        </details>
      )}
    </li>
  );
}
