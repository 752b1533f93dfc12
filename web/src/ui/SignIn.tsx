// Sign in and sign up. Also shown over the page when a session has run out.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, messageOf } from "../api/client";
import { about, me, signIn, signUp } from "../state/session";
import { signInProblem } from "../text/signInProblem";
import { focusComposer } from "./dom";
import { Mark } from "./Icon";
import { ForgottenForm } from "./Mailed";
import { Providers } from "./Providers";

interface Draft {
  name: string;
  email: string;
  password: string;
}

interface Problem {
  text: string;
  fields: Record<string, string>;
}

const DEMO = [
  { label: "Student", email: "student@famulus.local" },
  { label: "Teacher", email: "teacher@famulus.local" },
  { label: "Organization admin", email: "admin@famulus.local" },
  { label: "Site admin", email: "site@famulus.local" },
];
const DEMO_PASSWORD = "password123";

export function SignInPage() {
  const [forgotten, setForgotten] = useState<string | null>(null);
  return (
    <main class="sign-in">
      <div class="sign-in-card">
        <header class="sign-in-brand">
          <Mark size={36} />
          <h1>{about.value?.name ?? "Famulus"}</h1>
          <p>Ask your course material. Every answer shows where it was read.</p>
        </header>
        {forgotten === null ? (
          <SignInForm onForgotten={setForgotten} />
        ) : (
          <ForgottenForm email={forgotten} onBack={() => setForgotten(null)} />
        )}
      </div>
    </main>
  );
}

/** The page stays as it is underneath: nothing typed is lost. */
export function SignInAgain() {
  useEffect(() => () => void requestAnimationFrame(focusComposer), []);
  return (
    <div class="overlay">
      <div class="dialog" role="dialog" aria-modal="true" aria-labelledby="again-title">
        <h2 id="again-title">Sign in again</h2>
        <p class="quiet">Your session has ended. What you were writing is kept.</p>
        <SignInForm again />
      </div>
    </div>
  );
}

interface FormProps {
  again?: boolean;
  onForgotten?: (email: string) => void;
}

function SignInForm({ again = false, onForgotten }: FormProps) {
  const [joining, setJoining] = useState(false);
  const [draft, setDraft] = useState<Draft>({ name: "", email: me.value?.user.email ?? "", password: "" });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(problemOfReturn);
  const submit = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      if (joining) await signUp(draft.name.trim(), draft.email.trim(), draft.password);
      else await signIn(draft.email.trim(), draft.password);
    } catch (error) {
      setProblem(problemOf(error, joining));
      setBusy(false);
    }
  };
  const field = { draft, setDraft, problem };
  const form = useRef<HTMLFormElement>(null);
  // `autofocus` does nothing on a page that has had the focus elsewhere.
  useEffect(() => form.current?.querySelector<HTMLElement>(`[name=${again ? "password" : "email"}]`)?.focus(), [again]);
  return (
    <form ref={form} class="form" onSubmit={(event) => (event.preventDefault(), void submit())} data-testid="sign-in-form">
      {!joining && <Providers />}
      {joining && <Field {...field} name="name" label="Name" type="text" autoComplete="name" />}
      <Field {...field} name="email" label="Email" type="email" autoComplete="username" />
      <Field
        {...field}
        name="password"
        label="Password"
        type="password"
        autoComplete={joining ? "new-password" : "current-password"}
      />
      {problem?.text && <FormProblem text={problem.text} />}
      <button class="button primary" type="submit" disabled={busy} data-testid="sign-in-submit">
        {joining ? "Create account" : "Sign in"}
      </button>
      {onForgotten && !joining && (
        <p class="form-switch">
          <button type="button" class="link" onClick={() => onForgotten(draft.email)} data-testid="forgot-password">
            Forgot password?
          </button>
        </p>
      )}
      {!again && (about.value?.sign_up ?? false) && <Switch joining={joining} onSwitch={() => (setJoining(!joining), setProblem(null))} />}
      {about.value?.demo && !joining && (
        <DemoSignIns onPick={(email) => setDraft({ ...draft, email, password: DEMO_PASSWORD })} />
      )}
    </form>
  );
}

/** What the address says of a sign-in through a provider; said once, it does not stay in the address. */
function problemOfReturn(): Problem | null {
  const text = signInProblem(location.search);
  if (text !== null) history.replaceState(null, "", location.pathname + location.hash);
  return text === null ? null : { text, fields: {} };
}

function FormProblem({ text }: { text: string }) {
  return (
    <p class="form-problem" role="alert" data-testid="sign-in-error">
      {text}
    </p>
  );
}

interface FieldProps {
  name: keyof Draft;
  label: string;
  type: "text" | "email" | "password";
  autoComplete: string;
  draft: Draft;
  setDraft: (draft: Draft) => void;
  problem: Problem | null;
}

function Field({ name, label, type, autoComplete, draft, setDraft, problem }: FieldProps) {
  const wrong = problem?.fields[name];
  const input = {
    name,
    required: true,
    value: draft[name],
    autoComplete,
    "aria-invalid": wrong ? true : undefined,
    "aria-describedby": wrong ? `${name}-wrong` : undefined,
    "data-testid": `sign-in-${name}`,
    onInput: (event: { currentTarget: HTMLInputElement }) => setDraft({ ...draft, [name]: event.currentTarget.value }),
  };
  return (
    <label class="field">
      <span>{label}</span>
      {type === "text" && <input type="text" {...input} />}
      {type === "email" && <input type="email" {...input} />}
      {type === "password" && <input type="password" {...input} />}
      {wrong && (
        <span class="field-problem" id={`${name}-wrong`}>
          {wrong}
        </span>
      )}
    </label>
  );
}

function Switch({ joining, onSwitch }: { joining: boolean; onSwitch: () => void }) {
  return (
    <p class="form-switch">
      {joining ? "Already have an account?" : "New here?"}{" "}
      <button type="button" class="link" onClick={onSwitch} data-testid="sign-up-switch">
        {joining ? "Sign in" : "Create an account"}
      </button>
    </p>
  );
}

function DemoSignIns({ onPick }: { onPick: (email: string) => void }) {
  return (
    <fieldset class="demo">
      <legend>Demo sign-ins</legend>
      {DEMO.map((demo) => (
        <button
          key={demo.email}
          type="button"
          class="button small"
          onClick={() => onPick(demo.email)}
          title={demo.email}
          data-testid="demo-sign-in"
          data-email={demo.email}
        >
          {demo.label}
        </button>
      ))}
    </fieldset>
  );
}

function problemOf(error: unknown, joining: boolean): Problem {
  if (!(error instanceof ApiError)) return { text: messageOf(error), fields: {} };
  if (error.status === 401 && !joining) return { text: "The email or the password is not right.", fields: {} };
  const fields = Object.fromEntries(error.fields.map((field) => [field.path.split(".").at(-1) ?? "", field.message]));
  const placed = Object.keys(fields).some((name) => ["name", "email", "password"].includes(name));
  return { text: placed ? "" : error.message, fields };
}
