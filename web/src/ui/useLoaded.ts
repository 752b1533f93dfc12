// What a page shows of the server: loaded when it opens, again when it is asked for, and why it could not be.
import { useEffect, useState } from "preact/hooks";
import { messageOf } from "../api/client";
import type { Page } from "../api/types";

export interface Loaded<T> {
  value: T | null;
  problem: string | null;
  again: () => void;
  set: (value: T) => void;
}

export function useLoaded<T>(load: () => Promise<T>, key: string): Loaded<T> {
  const [value, set] = useState<T | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let over = false;
    setProblem(null);
    load()
      .then((found) => !over && set(found))
      .catch((error) => !over && setProblem(messageOf(error)));
    return () => {
      over = true;
    };
  }, [key, round]);
  return { value, problem, again: () => setRound(round + 1), set };
}

/** Every page of a list that people look at as a whole; the server bounds how much that is. */
export async function everyPage<T>(load: (after: string | null) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let after: string | null = null;
  do {
    const page: Page<T> = await load(after);
    items.push(...page.items);
    after = page.next;
  } while (after !== null);
  return items;
}
