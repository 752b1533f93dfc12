// One request at a time, and what the server has against it: by field, and under the empty name against all of it.
import { useState } from "preact/hooks";
import { ApiError, messageOf } from "../api/client";

export type FieldProblems = Record<string, string>;

export interface Sending {
  busy: boolean;
  problems: FieldProblems;
  /** Whether it was done. */
  send: (work: () => Promise<unknown>) => Promise<boolean>;
}

export function useSend(fields: readonly string[] = []): Sending {
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<FieldProblems>({});
  const send = async (work: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setProblems({});
    try {
      await work();
      return true;
    } catch (error) {
      setProblems(problemsByField(error, fields));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problems, send };
}

export function problemsByField(error: unknown, fields: readonly string[]): FieldProblems {
  const said = error instanceof ApiError ? error.fields : [];
  if (said.length === 0) return { "": messageOf(error) };
  const found: FieldProblems = {};
  for (const { path, message } of said) {
    const name = path.split(".").at(-1) ?? "";
    if (fields.includes(name)) found[name] = message;
    else found[""] = [found[""], `${path}: ${message}`].filter(Boolean).join(" ");
  }
  return found;
}
