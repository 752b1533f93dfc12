// A list that is read page by page: the first when it opens or its question changes, the next when it is asked for.
import { useEffect, useRef, useState } from "preact/hooks";
import { messageOf } from "../api/client";
import type { Page } from "../api/types";

export interface Pages<T> {
  items: T[] | null;
  problem: string | null;
  /** null when there is nothing more. */
  more: (() => void) | null;
  again: () => void;
  set: (items: T[]) => void;
}

export function usePages<T>(load: (after: string | null) => Promise<Page<T>>, key: string): Pages<T> {
  const [items, set] = useState<T[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [round, setRound] = useState(0);
  // What comes back late, after the question has changed, is no answer to it.
  const asked = useRef(0);
  const fetch = (after: string | null, before: T[]): void => {
    const turn = ++asked.current;
    setProblem(null);
    load(after).then(
      (page) => {
        if (turn !== asked.current) return;
        set([...before, ...page.items]);
        setNext(page.next);
      },
      (error) => turn === asked.current && setProblem(messageOf(error)),
    );
  };
  useEffect(() => {
    fetch(null, []);
    return () => void asked.current++;
  }, [key, round]);
  const more = next === null || items === null ? null : () => fetch(next, items);
  return { items, problem, more, again: () => setRound(round + 1), set };
}
