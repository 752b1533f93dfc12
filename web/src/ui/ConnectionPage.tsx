// One connection: how it is, its switch, and its tools.
import { useState } from "preact/hooks";
import { connections } from "../api/endpoints";
import type { Connection } from "../api/connections";
import { announce } from "../state/notices";
import { go, hrefOf } from "../state/route";
import { now } from "../state/surroundings";
import { age } from "../text/time";
import { Health, KINDS } from "./ConnectionList";
import { ConnectionTools } from "./ConnectionTools";
import { Exact } from "./Exact";
import { Icon } from "./Icon";
import { Loading, Problems } from "./Loading";
import { here } from "./Manage";
import { Sure } from "./Sure";
import { useLoaded } from "./useLoaded";
import { useSend } from "./useSend";

export function ConnectionPage({ id }: { id: string }) {
  const { value, problem, again, set } = useLoaded(() => connections.get(id), id);
  return (
    <div class="page-scroll" data-testid="connection-page">
      <div class="page-column manage">
        <a class="back-link" href={hrefOf({ name: "manage", courseId: here(), page: "connections", id: null })}>
          <Icon name="back" size={16} />
          Connections
        </a>
        {!value && <Loading what="The connection" problem={problem} again={again} />}
        {value && <Shown connection={value} set={set} />}
      </div>
    </div>
  );
}

function Shown({ connection, set }: { connection: Connection; set: (value: Connection) => void }) {
  const [looks, setLooks] = useState(0);
  return (
    <>
      <header class="manage-head">
        <h1>{connection.name}</h1>
        <Health connection={connection} />
      </header>
      <p class="manage-lead">
        {KINDS[connection.kind]} at <Exact text={connection.url ?? connection.command?.join(" ") ?? "a document of its own"} />
      </p>
      <Found connection={connection} />
      <Actions
        connection={connection}
        set={(value) => {
          set(value);
          setLooks(looks + 1);
        }}
      />
      <ConnectionTools key={looks} connection={connection} set={set} />
    </>
  );
}

/** What the last look has found wrong. */
function Found({ connection }: { connection: Connection }) {
  const { problem, notes, checked_at: at } = connection;
  return (
    <>
      {problem && (
        <p class="approval-problem" data-testid="connection-problem">
          <Exact text={problem} />
        </p>
      )}
      {at && <p class="quiet">Last looked at {age(at, now.value)}.</p>}
      {notes.length > 0 && (
        <details class="manage-notes">
          <summary>{notes.length === 1 ? "1 thing could not be taken" : `${notes.length} things could not be taken`}</summary>
          <ul>
            {notes.map((note) => (
              <li key={note} dir="auto">
                <Exact text={note} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Actions({ connection, set }: { connection: Connection; set: (value: Connection) => void }) {
  const { busy, general, send } = useSend();
  const test = async (): Promise<void> => {
    const found = await connections.test(connection.id);
    set(found.connection);
    announce(found.connection.problem ?? `It works: ${found.tools.length} tools.`);
  };
  const turn = async (): Promise<void> => set(await connections.change(connection.id, { enabled: !connection.enabled }));
  const remove = async (): Promise<void> => {
    await connections.remove(connection.id);
    announce(`Removed ${connection.name}.`);
    go({ name: "manage", courseId: here(), page: "connections", id: null });
  };
  return (
    <div class="manage-actions">
      <Problems problems={general} />
      <div class="approval-buttons">
        <button type="button" class="button" disabled={busy} onClick={() => void send(test)} data-testid="test-connection">
          {busy ? "Looking …" : "Test"}
        </button>
        <button type="button" class="button" disabled={busy} onClick={() => void send(turn)} data-testid="turn-connection">
          {connection.enabled ? "Switch off" : "Switch on"}
        </button>
        <Sure
          label="Remove"
          warning="Its tools are gone at once, and its secret with them."
          busy={busy}
          testId="remove-connection"
          onSure={() => void send(remove)}
        />
      </div>
    </div>
  );
}
