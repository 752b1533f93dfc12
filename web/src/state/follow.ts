// Follows one run to its end: applies events once per animation frame, and comes back after every
// loss of the connection from the last event it has seen.
import type { Signal } from "@preact/signals";
import { ApiError, isAbort } from "../api/client";
import { decodeEvent, isTerminal, type RunEvent } from "../api/events";
import { frames } from "../api/stream";
import { applyEvent, type AnswerState } from "./answer";

const BACKOFF_MS = [300, 1_000, 2_000, 4_000, 8_000];
const MAX_FAILURES = 10;

export interface FollowOptions {
  answer: Signal<AnswerState>;
  signal: AbortSignal;
  /** Open the stream; the first call may start the run, later ones resume after `lastId`. */
  open: (state: AnswerState) => Promise<Response>;
  onEvent?: (event: RunEvent) => void;
  onOpen?: () => void;
  onReconnecting?: (lost: boolean) => void;
}

/** Collects events and folds them into the answer at most once per frame. */
class FramePump {
  private queue: { id: string; event: RunEvent }[] = [];
  private scheduled = false;

  constructor(private readonly answer: Signal<AnswerState>) {}

  push(id: string, event: RunEvent): void {
    this.queue.push({ id, event });
    if (this.scheduled) return;
    this.scheduled = true;
    // A hidden page gets no animation frames; the timer keeps its answer growing.
    const timer = window.setTimeout(() => this.flush(), 250);
    requestAnimationFrame(() => {
      window.clearTimeout(timer);
      this.flush();
    });
  }

  flush(): void {
    this.scheduled = false;
    if (this.queue.length === 0) return;
    const batch = this.queue;
    this.queue = [];
    this.answer.value = batch.reduce((state, item) => applyEvent(state, item.id, item.event), this.answer.value);
  }
}

/**
 * Resolves when a terminal event was applied, or when the stream has ended because the run waits for a person: the
 * status says which. Throws what cannot be mended by coming back.
 */
export async function follow(options: FollowOptions): Promise<void> {
  let failures = 0;
  let accepted = false;
  while (!options.signal.aborted) {
    const before = options.answer.value.lastId;
    try {
      const response = await options.open(options.answer.value);
      accepted = true;
      options.onOpen?.();
      options.onReconnecting?.(false);
      if (await readStream(response, options)) return;
    } catch (error) {
      if (isAbort(error) || isFinal(error) || !accepted) throw error;
    }
    const { approvals, status } = options.answer.value;
    if (status === "waiting") return;
    const progressed = options.answer.value.lastId !== before;
    // Being offline says nothing about the run: only attempts that could have worked are counted.
    if (progressed) failures = 0;
    else if (navigator.onLine) failures += 1;
    if (failures > MAX_FAILURES) throw new ApiError(0, "connection_lost", "The connection to the answer was lost.");
    // Answered while the stream was ending: nothing was lost.
    options.onReconnecting?.(approvals.length === 0);
    await pause(BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)]!, options.signal);
  }
}

/** True when the run has ended, false when only the connection has. */
async function readStream(response: Response, options: FollowOptions): Promise<boolean> {
  const pump = new FramePump(options.answer);
  try {
    for await (const frame of frames(response, options.signal)) {
      const event = decodeEvent(frame);
      if (!event) continue;
      pump.push(frame.id, event);
      options.onEvent?.(event);
      if (isTerminal(event)) return true;
    }
    return false;
  } finally {
    pump.flush();
  }
}

function isFinal(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
}

/** Waits with jitter, but not longer than until the network is back. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      window.clearTimeout(timer);
      window.removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = window.setTimeout(done, ms * (0.75 + Math.random() / 2));
    window.addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}
