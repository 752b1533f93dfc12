// What mailed links open, and asking for one: a forgotten password, a new one, a confirmed address.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, messageOf } from "../api/client";
import { auth } from "../api/endpoints";
import { dropMailedLink, type MailedLink } from "../state/mailed";
import { loadMe } from "../state/session";
import { Mark } from "./Icon";

export function ForgottenForm({ email, onBack }: { email: string; onBack: () => void }) {
  const [address, setAddress] = useState(email);
  const [sent, setSent] = useState(false);
  const { busy, problem, run } = useRequest();
  if (sent) {
    return (
      <div class="form" role="status" data-testid="forgot-sent">
        <p>If there is an account with the address {address}, a link is on its way to it. It is good for an hour.</p>
        <BackToSignIn onBack={onBack} />
      </div>
    );
  }
  const submit = (event: Event): void => {
    event.preventDefault();
    void run(async () => {
      await auth.forgot(address.trim());
      setSent(true);
    });
  };
  return (
    <form class="form" onSubmit={submit} data-testid="forgot-form">
      <p class="quiet">Say which address you sign in with, and a link to set a new password is mailed to it.</p>
      <Entry name="email" label="Email" type="email" autoComplete="username" value={address} onInput={setAddress} />
      {problem && <Problem text={problem} />}
      <button class="button primary" type="submit" disabled={busy} data-testid="forgot-submit">
        Send a link
      </button>
      <BackToSignIn onBack={onBack} />
    </form>
  );
}

export function MailedPage({ link }: { link: MailedLink }) {
  return (
    <main class="sign-in">
      <div class="sign-in-card">
        {link.purpose === "reset" ? <ResetPart token={link.token} /> : <VerifyPart token={link.token} />}
      </div>
    </main>
  );
}

function ResetPart({ token }: { token: string }) {
  const [password, setPassword] = useState("");
  const [done, setDone] = useState(false);
  const { busy, problem, run } = useRequest();
  if (done) {
    return (
      <Told title="Your password is set" testId="reset-done">
        <p>You have been signed out everywhere. Sign in with the new password.</p>
      </Told>
    );
  }
  const submit = (event: Event): void => {
    event.preventDefault();
    void run(async () => {
      await auth.reset(token, password);
      // Whoever was signed in here is not any more.
      await loadMe();
      setDone(true);
    });
  };
  return (
    <form class="form" onSubmit={submit} data-testid="reset-form">
      <Heading title="Set a new password" />
      <Entry
        name="password"
        label="New password"
        type="password"
        autoComplete="new-password"
        value={password}
        onInput={setPassword}
      />
      {problem && <Problem text={problem} />}
      <button class="button primary" type="submit" disabled={busy} data-testid="reset-submit">
        Set password
      </button>
      <Onward text="To the sign-in" />
    </form>
  );
}

/** A click rather than the visit confirms: programs that look into mails follow links as well. */
function VerifyPart({ token }: { token: string }) {
  const [email, setEmail] = useState<string | null>(null);
  const { busy, problem, run } = useRequest();
  if (email !== null) {
    return (
      <Told title="Your address is confirmed" testId="verify-done">
        <p>{email} is yours.</p>
      </Told>
    );
  }
  const confirm = (): void =>
    void run(async () => {
      setEmail((await auth.verify(token)).email);
      await loadMe();
    });
  return (
    <div class="form">
      <Heading title="Confirm your address" />
      <p class="quiet">With this you say that the mail which brought you here came to your own mailbox.</p>
      {problem && <Problem text={problem} />}
      <button type="button" class="button primary" disabled={busy} onClick={confirm} data-testid="verify-submit">
        Confirm
      </button>
      <Onward text="Not now" />
    </div>
  );
}

function Told({ title, testId, children }: { title: string; testId: string; children: ComponentChildren }) {
  return (
    <div class="form" role="status" data-testid={testId}>
      <Heading title={title} />
      {children}
      <button type="button" class="button primary" onClick={dropMailedLink} data-testid="onward">
        Continue
      </button>
    </div>
  );
}

function Heading({ title }: { title: string }) {
  return (
    <header class="sign-in-brand">
      <Mark size={36} />
      <h1>{title}</h1>
    </header>
  );
}

function Onward({ text }: { text: string }) {
  return (
    <p class="form-switch">
      <button type="button" class="link" onClick={dropMailedLink} data-testid="onward">
        {text}
      </button>
    </p>
  );
}

function BackToSignIn({ onBack }: { onBack: () => void }) {
  return (
    <p class="form-switch">
      <button type="button" class="link" onClick={onBack} data-testid="back-to-sign-in">
        Back to the sign-in
      </button>
    </p>
  );
}

function Problem({ text }: { text: string }) {
  return (
    <p class="form-problem" role="alert" data-testid="mailed-problem">
      {text}
    </p>
  );
}

interface EntryProps {
  name: string;
  label: string;
  type: "email" | "password";
  autoComplete: string;
  value: string;
  onInput: (value: string) => void;
}

function Entry({ name, label, type, autoComplete, value, onInput }: EntryProps) {
  const place = useRef<HTMLInputElement>(null);
  useEffect(() => place.current?.focus(), []);
  const input = {
    ref: place,
    name,
    required: true,
    autoComplete,
    value,
    onInput: (event: { currentTarget: HTMLInputElement }) => onInput(event.currentTarget.value),
    "data-testid": `mailed-${name}`,
  };
  return (
    <label class="field">
      <span>{label}</span>
      {type === "email" ? <input type="email" {...input} /> : <input type="password" {...input} />}
    </label>
  );
}

/** One request at a time, and what went wrong with it in words. */
function useRequest() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const run = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      const field = error instanceof ApiError ? error.fields[0] : undefined;
      const broken = field?.path === "token";
      setProblem(broken ? "This link is not whole. Open it from the mail again." : (field?.message ?? messageOf(error)));
    }
    setBusy(false);
  };
  return { busy, problem, run };
}
