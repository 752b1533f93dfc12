// Looking for people in a list: the beginning of a name or an address, and a role.
import { useEffect, useState } from "preact/hooks";
import type { Wanted } from "../../api/people";
import { Icon } from "../Icon";

const PAUSE = 250;
export const EVERYBODY: Wanted = { role: "", q: "", sort: "name" };

interface Props {
  wanted: Wanted;
  roles: Record<string, string>;
  onChange: (wanted: Wanted) => void;
}

export function PeopleSearch({ wanted, roles, onChange }: Props) {
  const q = useSlowly(wanted.q, (text) => onChange({ ...wanted, q: text.trim() }));
  return (
    <div class="people-search" role="search">
      <SearchBox label="Find people by the beginning of a name or an address" value={q.text} onInput={q.type} />
      <select
        aria-label="Role"
        value={wanted.role}
        onChange={(event) => onChange({ ...wanted, role: event.currentTarget.value })}
        data-testid="people-role"
      >
        <option value="">Every role</option>
        {Object.entries(roles).map(([role, name]) => (
          <option key={role} value={role}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label="Order"
        value={wanted.sort}
        onChange={(event) => onChange({ ...wanted, sort: event.currentTarget.value as Wanted["sort"] })}
        data-testid="people-sort"
      >
        <option value="name">By name</option>
        <option value="-created_at">Newest first</option>
      </select>
    </div>
  );
}

interface BoxProps {
  label: string;
  placeholder?: string;
  value: string;
  onInput: (text: string) => void;
}

export function SearchBox({ label, placeholder = "Name or address", value, onInput }: BoxProps) {
  return (
    <label class="search-box">
      <Icon name="search" size={16} />
      <input
        type="search"
        aria-label={label}
        placeholder={placeholder}
        maxLength={200}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
        data-testid="people-find"
      />
    </label>
  );
}

/** What is typed shows at once, and is asked for when the typing rests. */
export function useSlowly(value: string, then: (text: string) => void) {
  const [text, type] = useState(value);
  useEffect(() => {
    if (text.trim() === value) return undefined;
    const timer = window.setTimeout(() => then(text), PAUSE);
    return () => window.clearTimeout(timer);
  }, [text]);
  return { text, type };
}
