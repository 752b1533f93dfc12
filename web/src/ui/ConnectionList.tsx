// The servers that an organization has connected, and a form to connect one more.
import { useState } from "preact/hooks";
import { connections } from "../api/endpoints";
import type { Connection } from "../api/connections";
import { hrefOf } from "../state/route";
import { ConnectionForm } from "./ConnectionForm";
import { Icon } from "./Icon";
import { Loading } from "./Loading";
import { here } from "./Manage";
import { everyPage, useLoaded } from "./useLoaded";

export const KINDS: Record<Connection["kind"], string> = { openapi: "API", mcp: "MCP server" };

export function ConnectionList({ organizationId }: { organizationId: string }) {
  const load = () => everyPage((after) => connections.list(organizationId, after));
  const { value, problem, again } = useLoaded(load, organizationId);
  const [adding, setAdding] = useState(false);
  return (
    <>
      <p class="manage-lead">
        APIs and MCP servers whose tools the organization’s assistants may use, each for the person who asks.
      </p>
      {!value && <Loading what="The connections" problem={problem} again={again} />}
      {value?.length === 0 && !adding && <p class="quiet">Nothing is connected yet.</p>}
      <ul class="rows">
        {value?.map((each) => (
          <Row key={each.id} connection={each} />
        ))}
      </ul>
      {adding ? (
        <ConnectionForm organizationId={organizationId} onBack={() => setAdding(false)} />
      ) : (
        <button type="button" class="button" onClick={() => setAdding(true)} data-testid="add-connection">
          <Icon name="plus" size={18} />
          Connect a server
        </button>
      )}
    </>
  );
}

function Row({ connection }: { connection: Connection }) {
  const count = connection.tool_count;
  return (
    <li>
      <a
        class="row-link"
        href={hrefOf({ name: "manage", courseId: here(), page: "connections", id: connection.id })}
        data-testid="connection-item"
      >
        <span class="row-text">
          <span class="row-title">{connection.name}</span>
          <span class="row-detail">
            {KINDS[connection.kind]} · {count === 1 ? "1 tool" : `${count} tools`}
          </span>
        </span>
        <Health connection={connection} />
      </a>
    </li>
  );
}

export function Health({ connection }: { connection: Connection }) {
  const [tone, text] = !connection.enabled
    ? ["off", "Switched off"]
    : connection.state === "ok"
      ? ["good", "Works"]
      : connection.state === "failed"
        ? ["bad", "Does not work"]
        : ["off", "Not looked at yet"];
  return (
    <span class={`health health-${tone}`} data-testid="health">
      {text}
    </span>
  );
}
