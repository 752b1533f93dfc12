// Connecting a server: what kind, where it is, and how to sign in there. Secrets go to the server and never come back.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, messageOf } from "../api/client";
import { connections } from "../api/endpoints";
import type { AuthGiven, ConnectionKind } from "../api/connections";
import { announce } from "../state/notices";
import { go } from "../state/route";
import { Problems } from "./Loading";
import { here } from "./Manage";

type AuthKind = AuthGiven["kind"];
type Given = Record<string, string>;

const AUTHS: Record<AuthKind, string> = {
  none: "Nothing",
  bearer: "A token",
  header: "A header, such as X-Api-Key",
  oauth2_client: "OAuth 2.0 client credentials",
};

interface Wanted {
  name: string;
  label: string;
  secret?: boolean;
  optional?: boolean;
}

const FIELDS: Record<AuthKind, Wanted[]> = {
  none: [],
  bearer: [{ name: "token", label: "Token", secret: true }],
  header: [
    { name: "name", label: "Name of the header" },
    { name: "value", label: "Its value", secret: true },
  ],
  oauth2_client: [
    { name: "token_url", label: "Address that gives tokens" },
    { name: "client_id", label: "Client id" },
    { name: "client_secret", label: "Client secret", secret: true },
    { name: "scope", label: "Scope", optional: true },
  ],
};

export function ConnectionForm({ organizationId, onBack }: { organizationId: string; onBack: () => void }) {
  const [kind, setKind] = useState<ConnectionKind>("openapi");
  const [auth, setAuth] = useState<AuthKind>("none");
  const [given, setGiven] = useState<Given>({});
  const [problems, setProblems] = useState<Given>({});
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>("select")?.focus(), []);
  const field = (wanted: Wanted, path: string, hint?: string) => (
    <Field
      key={path}
      wanted={wanted}
      hint={hint}
      value={given[path] ?? ""}
      problem={problems[path]}
      onInput={(text) => setGiven({ ...given, [path]: text })}
    />
  );
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblems({});
    try {
      const signIn = authOf(auth, given);
      const [name, url] = [given["name"] ?? "", given["url"] ?? ""];
      const made = await connections.create({ organization_id: organizationId, kind, name, url, auth: signIn });
      announce(`Connected ${made.name}.`);
      go({ name: "manage", courseId: here(), page: "connections", id: made.id });
    } catch (error) {
      setProblems(byField(error));
      setBusy(false);
    }
  };
  return (
    <form ref={form} class="form manage-form" onSubmit={(event) => void send(event)} data-testid="connection-form">
      <h2>Connect a server</h2>
      <Choice label="Kind" value={kind} choices={{ openapi: "An API, by its OpenAPI document", mcp: "An MCP server" }} onChange={setKind} testId="connection-kind" />
      {field({ name: "name", label: "Name" }, "name", "Small letters, digits and _. The names of its tools begin with it.")}
      {field({ name: "url", label: kind === "mcp" ? "Address of the server" : "Address of the document" }, "url")}
      <Choice label="To sign in there" value={auth} choices={AUTHS} onChange={setAuth} testId="connection-auth" />
      {FIELDS[auth].map((each) => field(each, `auth.${each.name}`))}
      <Problems problems={problems[""] ? [problems[""]] : []} />
      <div class="approval-buttons">
        <button type="submit" class="button primary" disabled={busy} data-testid="connect">
          {busy ? "Looking at it …" : "Connect"}
        </button>
        <button type="button" class="button plain" disabled={busy} onClick={onBack}>
          Back
        </button>
      </div>
    </form>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  choices: Record<T, string>;
  onChange: (value: T) => void;
  testId: string;
}

function Choice<T extends string>({ label, value, choices, onChange, testId }: ChoiceProps<T>) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value as T)} data-testid={testId}>
        {(Object.keys(choices) as T[]).map((each) => (
          <option key={each} value={each}>
            {choices[each]}
          </option>
        ))}
      </select>
    </label>
  );
}

interface FieldProps {
  wanted: Wanted;
  hint: string | undefined;
  value: string;
  problem: string | undefined;
  onInput: (text: string) => void;
}

function Field({ wanted, hint, value, problem, onInput }: FieldProps) {
  const shared = {
    required: !wanted.optional,
    value,
    "aria-invalid": problem ? true : undefined,
    onInput: (event: { currentTarget: HTMLInputElement }) => onInput(event.currentTarget.value),
    "data-testid": `connection-${wanted.name}`,
  };
  return (
    <label class="field">
      <span>
        {wanted.label} {hint && <span class="quiet">{hint}</span>}
      </span>
      {wanted.secret ? (
        <input type="password" autocomplete="new-password" {...shared} />
      ) : (
        <input type="text" autocomplete="off" spellcheck={false} {...shared} />
      )}
      {problem && (
        <span class="field-problem" role="alert">
          {problem}
        </span>
      )}
    </label>
  );
}

function authOf(kind: AuthKind, given: Given): AuthGiven {
  const fields = FIELDS[kind].map(({ name }) => [name, (given[`auth.${name}`] ?? "").trim()]);
  return { kind, ...Object.fromEntries(fields) } as AuthGiven;
}

/** What is wrong, by field; under the empty name what is wrong with all of it. */
function byField(error: unknown): Given {
  const fields = error instanceof ApiError ? error.fields : [];
  if (fields.length === 0) return { "": messageOf(error) };
  const found: Given = {};
  for (const { path, message } of fields) {
    const known = path.startsWith("auth.") ? `auth.${path.split(".").at(-1)}` : path;
    found[["name", "url"].includes(known) || known.startsWith("auth.") ? known : ""] = message;
  }
  return found;
}
