// A person in a list: a line that opens, with another role and the way out inside.
import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { Icon } from "../Icon";

interface Props {
  name: string;
  email: string;
  /** What they are, on the right. */
  role: string;
  mark?: ComponentChildren;
  children: ComponentChildren;
}

export function Person({ name, email, role, mark, children }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <li data-testid="person" data-email={email}>
      <button type="button" class="row-link source-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class="row-text">
          <span class="row-title" dir="auto">
            {name}
          </span>
          <span class="row-detail">{email}</span>
        </span>
        {mark}
        {role && <span class="person-role">{role}</span>}
        <Icon name="chevron" size={18} />
      </button>
      {open && <div class="source-inside">{children}</div>}
    </li>
  );
}

interface RoleProps {
  name: string;
  role: string;
  roles: Record<string, string>;
  busy: boolean;
  /** What another role comes to. */
  warning: string;
  onChange: (role: string) => void;
}

/** Another role takes effect at once wherever the person is, so it is chosen and then said again. */
export function RoleChange({ name, role, roles, busy, warning, onChange }: RoleProps) {
  const [chosen, setChosen] = useState(role);
  const other = chosen !== role;
  return (
    <div class="role-change">
      <label>
        <span class="visually-hidden">Role of {name}</span>
        <select value={chosen} disabled={busy} onChange={(event) => setChosen(event.currentTarget.value)} data-testid="person-role">
          {Object.entries(roles).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {other && (
        <>
          <button type="button" class="button" disabled={busy} onClick={() => onChange(chosen)} data-testid="person-role-sure">
            Change
          </button>
          <button type="button" class="button plain" disabled={busy} onClick={() => setChosen(role)}>
            Leave it
          </button>
          <p class="quiet">{warning}</p>
        </>
      )}
    </div>
  );
}
