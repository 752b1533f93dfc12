// The page that an invitation's link leads to: join with a new account, with one's own password, or as who is signed in.
import { useEffect, useState } from "preact/hooks";
import { ApiError, messageOf } from "../api/client";
import { invitations } from "../api/endpoints";
import type { Invitation, Role } from "../api/types";
import { toast } from "../state/notices";
import { leaveInvitation } from "../state/route";
import { loadMe, me } from "../state/session";
import { Mark } from "./Icon";

const AS: Record<Role, string> = {
  site_admin: "an administrator",
  organization_admin: "an administrator",
  teacher: "a teacher",
  student: "a student",
};

export function InvitationPage({ token }: { token: string }) {
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    invitations.look(token).then(setInvitation, (error: unknown) => setProblem(lookProblem(error)));
  }, [token]);
  return (
    <main class="sign-in" aria-busy={invitation === null && problem === ""}>
      <div class="sign-in-card">
        <header class="sign-in-brand">
          <Mark size={36} />
          <h1>{invitation ? invitation.organization.name : "Invitation"}</h1>
          {invitation && <Welcome invitation={invitation} />}
        </header>
        {problem !== "" && <NoInvitation problem={problem} />}
        {invitation && <JoinForm invitation={invitation} token={token} />}
      </div>
    </main>
  );
}

function Welcome({ invitation }: { invitation: Invitation }) {
  return (
    <p data-testid="invitation">
      You are invited as {AS[invitation.role]}, at {invitation.email}.
    </p>
  );
}

function NoInvitation({ problem }: { problem: string }) {
  return (
    <div role="alert" data-testid="invitation-problem">
      <p class="form-problem">{problem}</p>
      <p class="form-switch">
        <button type="button" class="link" onClick={leaveInvitation}>
          Go on without it
        </button>
      </p>
    </div>
  );
}

function JoinForm({ invitation, token }: { invitation: Invitation; token: string }) {
  const mine = me.value?.user.email === invitation.email;
  const [name, setName] = useState(invitation.name ?? "");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setBusy(true);
    setProblem({});
    try {
      await invitations.accept(token, mine ? {} : invitation.account ? { password } : { name: name.trim(), password });
      await joined(invitation);
    } catch (error) {
      setProblem(joinProblem(error));
      setBusy(false);
    }
  };
  return (
    <form class="form" onSubmit={(event) => (event.preventDefault(), void submit())} data-testid="invitation-form">
      {mine && <p class="quiet">You are signed in with this address.</p>}
      {!mine && me.value && <p class="quiet">Whoever is signed in here now, {me.value.user.email}, will be signed out.</p>}
      {!mine && <input type="email" name="email" value={invitation.email} autoComplete="username" hidden readOnly />}
      {!mine && !invitation.account && (
        <JoinField label="Name" name="name" value={name} onInput={setName} wrong={problem["name"]} autoComplete="name" />
      )}
      {!mine && (
        <JoinField
          label={invitation.account ? "Password of your account" : "Choose a password"}
          name="password"
          value={password}
          onInput={setPassword}
          wrong={problem["password"]}
          autoComplete={invitation.account ? "current-password" : "new-password"}
        />
      )}
      {problem["form"] && (
        <p class="form-problem" role="alert" data-testid="join-error">
          {problem["form"]}
        </p>
      )}
      <button class="button primary" type="submit" disabled={busy} data-testid="join">
        Join {invitation.organization.name}
      </button>
    </form>
  );
}

interface JoinFieldProps {
  label: string;
  name: "name" | "password";
  value: string;
  onInput: (value: string) => void;
  wrong: string | undefined;
  autoComplete: string;
}

function JoinField({ label, name, value, onInput, wrong, autoComplete }: JoinFieldProps) {
  const input = {
    name,
    required: true,
    value,
    autoComplete,
    "aria-invalid": wrong ? true : undefined,
    "aria-describedby": wrong ? `join-${name}-wrong` : undefined,
    "data-testid": `join-${name}`,
    onInput: (event: { currentTarget: HTMLInputElement }) => onInput(event.currentTarget.value),
  };
  return (
    <label class="field">
      <span>{label}</span>
      {name === "name" ? <input type="text" {...input} /> : <input type="password" {...input} />}
      {wrong && (
        <span class="field-problem" id={`join-${name}-wrong`}>
          {wrong}
        </span>
      )}
    </label>
  );
}

async function joined(invitation: Invitation): Promise<void> {
  leaveInvitation();
  await loadMe();
  toast(`You belong to ${invitation.organization.name} now.`);
}

function lookProblem(error: unknown): string {
  if (error instanceof ApiError && [404, 422].includes(error.status)) {
    return "This link is not valid any more: it has been used, withdrawn, replaced by a newer one, or has run out. Open the newest mail, or ask for a new invitation.";
  }
  return messageOf(error);
}

function joinProblem(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError)) return { form: messageOf(error) };
  if (error.status === 401) return { form: "The password is not right." };
  const fields = Object.fromEntries(error.fields.map((field) => [field.path, field.message]));
  return "name" in fields || "password" in fields ? fields : { form: error.message };
}
