// Keys for programs that act as oneself, or for an organization: made with what they may do and until when, shown once.
import { useEffect, useRef, useState } from "preact/hooks";
import { apiKeys, type ApiKey, type NewKey, type Scope } from "../../api/account";
import type { MemberRole } from "../../api/people";
import { announce } from "../../state/notices";
import { me } from "../../state/session";
import { now } from "../../state/surroundings";
import { MEMBER_ROLES } from "../../text/roles";
import { clockTime, relativeTime } from "../../text/time";
import { useCopied } from "../dom";
import { Choice, TextField } from "../fields";
import { Icon } from "../Icon";
import { Loading, Problems } from "../Loading";
import { Sure } from "../Sure";
import { usePages } from "../usePages";
import { useSend } from "../useSend";
import { More } from "./More";

const SCOPES: Record<Scope, string> = { read: "See", write: "Change", chat: "Talk in conversations" };
const LIVES: Record<string, string> = { 7: "In a week", 30: "In 30 days", 90: "In 90 days", 365: "In a year" };
const DAY = 86_400_000;

/** Of an organization, or one's own. */
export function ApiKeys({ organizationId = null }: { organizationId?: string | null }) {
  const keys = apiKeys(organizationId);
  const { items, problem, more, again, set } = usePages(keys.list, organizationId ?? "");
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  const { busy, general, send } = useSend();
  const end = (key: ApiKey): void =>
    void send(async () => {
      await keys.end(key.id);
      set((items ?? []).map((each) => (each.id === key.id ? { ...each, revoked_at: new Date().toISOString() } : each)));
      announce(`${key.name} has ended.`);
    });
  const take = ({ key, ...shown }: ApiKey & { key: string }): void => {
    set([shown, ...(items ?? [])]);
    setMaking(false);
    setMade(key);
  };
  return (
    <>
      <p class="manage-lead">
        {organizationId
          ? "A key lets a program act for the organization, in the role that you give it, whoever made it and for as long as it lasts."
          : `A key lets a program act as you${me.value?.organization ? ` in ${me.value.organization.name}` : ""}, and do no more than you choose here.`}
      </p>
      {made !== null && <MadeKey text={made} onDone={() => setMade(null)} />}
      {!items && <Loading what="The keys" problem={problem} again={again} />}
      {items?.length === 0 && !making && <p class="quiet">There is no key.</p>}
      <Problems problems={general} />
      <ul class="rows" data-testid="keys">
        {items?.map((key) => (
          <KeyRow key={key.id} shown={key} busy={busy} onEnd={() => end(key)} />
        ))}
      </ul>
      <More more={more} />
      {making ? (
        <KeyForm create={keys.create} withRole={organizationId !== null} onMade={take} onBack={() => setMaking(false)} />
      ) : (
        <button type="button" class="button" onClick={() => (setMaking(true), setMade(null))} data-testid="new-key">
          <Icon name="plus" size={18} />
          Make a key
        </button>
      )}
    </>
  );
}

function KeyRow({ shown, busy, onEnd }: { shown: ApiKey; busy: boolean; onEnd: () => void }) {
  const over = shown.expires_at !== null && Date.parse(shown.expires_at) <= now.value;
  const ended = shown.revoked_at !== null || over;
  const used = shown.used_at ? `used ${relativeTime(shown.used_at, now.value)}` : "never used";
  const until = shown.expires_at && `until ${clockTime(shown.expires_at)}`;
  return (
    <li class="desk-row" data-testid="key" data-ended={ended}>
      <span class="row-text">
        <span class="row-title">{shown.name}</span>
        <span class="row-detail">
          <code>{shown.hint}…</code> · {shown.scopes.map((scope) => SCOPES[scope].toLowerCase()).join(", ")} · {used}
          {!ended && until && ` · ${until}`}
        </span>
      </span>
      {ended ? (
        <span class="health health-off">{shown.revoked_at ? "Ended" : "Has run out"}</span>
      ) : (
        <Sure label="End" warning={`Whatever uses “${shown.name}” is shut out at once.`} busy={busy} testId="end-key" onSure={onEnd} />
      )}
    </li>
  );
}

function MadeKey({ text, onDone }: { text: string; onDone: () => void }) {
  const [copied, copy] = useCopied();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.focus(), []);
  return (
    <div ref={place} class="made-key" tabIndex={-1} role="group" aria-label="The new key" data-testid="made-key">
      <p>
        <strong>Copy the key now.</strong> It is not shown again.
      </p>
      <code data-testid="made-key-text">{text}</code>
      <div class="approval-buttons">
        <button type="button" class="button primary" onClick={() => copy(text)} data-testid="copy-key">
          {copied ? "Copied" : "Copy"}
        </button>
        <button type="button" class="button" onClick={onDone} data-testid="key-done">
          Done
        </button>
      </div>
    </div>
  );
}

interface FormProps {
  create: (given: NewKey) => Promise<ApiKey & { key: string }>;
  withRole: boolean;
  onMade: (made: ApiKey & { key: string }) => void;
  onBack: () => void;
}

function KeyForm({ create, withRole, onMade, onBack }: FormProps) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<Scope[]>(["read"]);
  const [days, setDays] = useState("90");
  const [role, setRole] = useState<MemberRole>("student");
  const { busy, problems, general, send } = useSend(["name", "role", "scopes", "expires_at"]);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("input")?.focus(), []);
  const turn = (scope: Scope) => setScopes(scopes.includes(scope) ? scopes.filter((each) => each !== scope) : [...scopes, scope]);
  const make = (event: Event): void => {
    event.preventDefault();
    // A minute less: a year by this clock must be no more than one by the server's.
    const end = new Date(Date.now() + Number(days) * DAY - 60_000).toISOString();
    void send(async () => onMade(await create({ name: name.trim(), scopes, expires_at: end, ...(withRole && { role }) })));
  };
  return (
    <form ref={form} class="form desk-form" onSubmit={make} data-testid="key-form">
      <h2>A new key</h2>
      <TextField label="Name" hint="What uses it." value={name} onInput={setName} problem={problems["name"]} required maxLength={200} testId="key-name" />
      {withRole && (
        <Choice
          label="Role"
          choices={MEMBER_ROLES}
          value={role}
          onInput={(chosen) => setRole(chosen as MemberRole)}
          problem={problems["role"]}
          testId="key-role"
        />
      )}
      <fieldset class="desk-choices">
        <legend>It may</legend>
        {(Object.keys(SCOPES) as Scope[]).map((scope) => (
          <label key={scope} class="tool-choice">
            <input type="checkbox" checked={scopes.includes(scope)} onChange={() => turn(scope)} data-testid={`scope-${scope}`} />
            {SCOPES[scope]}
          </label>
        ))}
        {problems["scopes"] && <span class="field-problem">{problems["scopes"]}</span>}
      </fieldset>
      <Choice label="It ends" choices={LIVES} value={days} onInput={setDays} problem={problems["expires_at"]} testId="key-life" />
      <Problems problems={general} />
      <div class="approval-buttons">
        <button type="submit" class="button primary" disabled={busy || scopes.length === 0} data-testid="make-key">
          Make it
        </button>
        <button type="button" class="button plain" disabled={busy} onClick={onBack}>
          Back
        </button>
      </div>
    </form>
  );
}
