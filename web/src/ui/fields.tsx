// Fields of forms: a line or more of text, one of several, each with its name, a hint and what is wrong with it.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Shown {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: string;
  problem?: string | undefined;
  testId?: string;
}

interface TextProps extends Shown {
  type?: "text" | "email" | "password" | "date" | "search";
  autoComplete?: string;
  required?: boolean;
  maxLength?: number;
  max?: string;
}

export function TextField({ type = "text", autoComplete = "off", required = false, maxLength, max, ...shown }: TextProps) {
  const id = useId();
  const input = {
    ...described(id, shown),
    autoComplete,
    required,
    maxLength,
    max,
    value: shown.value,
    onInput: (event: { currentTarget: HTMLInputElement }) => shown.onInput(event.currentTarget.value),
  };
  return (
    <Field id={id} {...shown}>
      {type === "text" && <input type="text" {...input} />}
      {type === "email" && <input type="email" {...input} />}
      {type === "password" && <input type="password" {...input} />}
      {type === "date" && <input type="date" {...input} />}
      {type === "search" && <input type="search" {...input} />}
    </Field>
  );
}

export function TextArea({ maxLength, ...shown }: Shown & { maxLength: number }) {
  const id = useId();
  return (
    <Field id={id} {...shown}>
      <textarea
        {...described(id, shown)}
        rows={2}
        maxLength={maxLength}
        value={shown.value}
        onInput={(event) => shown.onInput(event.currentTarget.value)}
      />
    </Field>
  );
}

export function Choice({ choices, ...shown }: Shown & { choices: Record<string, string> }) {
  const id = useId();
  return (
    <Field id={id} {...shown}>
      <select {...described(id, shown)} value={shown.value} onChange={(event) => shown.onInput(event.currentTarget.value)}>
        {Object.entries(choices).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </Field>
  );
}

function described(id: string, { hint, problem, testId }: Shown) {
  const by = [hint && `${id}-hint`, problem && `${id}-wrong`].filter(Boolean).join(" ");
  return {
    id,
    "aria-invalid": problem ? (true as const) : undefined,
    "aria-describedby": by || undefined,
    "data-testid": testId,
  };
}

function Field({ id, label, hint, problem, children }: Shown & { id: string; children: ComponentChildren }) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      {hint && (
        <span class="field-hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {problem && (
        <span class="field-problem" id={`${id}-wrong`} role="alert">
          {problem}
        </span>
      )}
    </div>
  );
}
