// One request at a time, and what the server has against it: by field, and against all of it.
import { useState } from "preact/hooks";
import { ApiError, messageOf } from "../api/client";

export interface Faults {
  /** By the fields that the form has. */
  problems: Record<string, string>;
  /** What is about none of them. */
  general: string[];
}

export interface Sending extends Faults {
  busy: boolean;
  /** Whether it was done. */
  send: (work: () => Promise<unknown>) => Promise<boolean>;
}

const NONE: Faults = { problems: {}, general: [] };

export function useSend(fields: readonly string[] = []): Sending {
  const [busy, setBusy] = useState(false);
  const [faults, setFaults] = useState(NONE);
  const send = async (work: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setFaults(NONE);
    try {
      await work();
      return true;
    } catch (error) {
      setFaults(faultsOf(error, fields));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, ...faults, send };
}

export function faultsOf(error: unknown, fields: readonly string[]): Faults {
  const said = error instanceof ApiError ? error.fields : [];
  if (said.length === 0) return { problems: {}, general: [messageOf(error)] };
  const { problems, general }: Faults = { problems: {}, general: [] };
  for (const { path, message } of said) {
    const name = path.split(".").at(-1) ?? "";
    if (fields.includes(name)) problems[name] = message;
    else general.push(`${path}: ${message}`);
  }
  return { problems, general };
}
