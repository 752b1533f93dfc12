// One conversation: loading it, sending into it, following its answer, stopping, trying again.
import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { ApiError, isAbort, messageOf } from "../api/client";
import type { RunEvent } from "../api/events";
import { runs, threads as api } from "../api/endpoints";
import type { Named, PageContext, Thread } from "../api/types";
import { answerFromMessage, newAnswer, type AnswerState } from "./answer";
import { awaitAnswers, waitingFor } from "./confirming";
import { draftFiles, drafts, outbox, type Outgoing } from "./drafts";
import { answerEntry, entriesOf, userEntry, type AnswerEntry, type Entry, type UserEntry } from "./entries";
import { FileTray } from "./files";
import { follow } from "./follow";
import { bareText } from "../text/bare";
import { announce, toast } from "./notices";
import { changeThread, putThread, titled } from "./threads";

const STOP_PATIENCE_MS = 4_000;

export class Conversation {
  readonly threadId = signal<string | null>(null);
  readonly assistant = signal<Named | null>(null);
  readonly entries = signal<Entry[]>([]);
  readonly older = signal<string | null>(null);
  readonly state = signal<"loading" | "ready" | "missing" | "failed">("ready");
  readonly problem = signal("");
  readonly live = signal<AnswerEntry | null>(null);
  readonly stopping = signal(false);
  /** Where draft and outbox are kept. */
  readonly place: ReadonlySignal<string>;
  /** Files that go with the next message. */
  readonly tray: FileTray;
  private controller = new AbortController();
  private patience = 0;

  constructor(
    readonly courseId: string | null,
    threadId: string | null,
    private readonly onThread: (conversation: Conversation, thread: Thread) => void,
  ) {
    this.threadId.value = threadId;
    this.place = computed(() => this.threadId.value ?? `new:${courseId ?? "general"}`);
    this.tray = new FileTray(() => this.place.value);
    if (threadId) void this.load();
    else this.restoreUnsent();
  }

  async load(): Promise<void> {
    const id = this.threadId.value;
    if (!id) return;
    this.state.value = "loading";
    try {
      const [thread, page] = await Promise.all([api.get(id), api.messages(id, null)]);
      this.assistant.value = thread.assistant;
      this.older.value = page.next;
      this.entries.value = entriesOf(page.items.reverse(), thread.live_run_id);
      this.restoreUnsent();
      this.state.value = "ready";
      if (thread.live_run_id) this.resume(thread.live_run_id);
      else await this.recallEnd();
    } catch (error) {
      const gone = error instanceof ApiError && error.status === 404;
      this.state.value = gone ? "missing" : "failed";
      this.problem.value = messageOf(error);
    }
  }

  async loadOlder(): Promise<void> {
    const id = this.threadId.value;
    const after = this.older.value;
    if (!id || !after) return;
    this.older.value = null;
    try {
      const page = await api.messages(id, after);
      // A question on the page's edge has its answer on the page that is already here.
      const earlier = entriesOf(page.items.reverse(), "");
      this.entries.value = [...earlier, ...this.entries.value];
      this.older.value = page.next;
    } catch (error) {
      this.older.value = after;
      toast(`Earlier messages could not be loaded. ${messageOf(error)}`);
    }
  }

  send(text: string, context: PageContext | null): void {
    const message: Outgoing = { text, files: this.tray.take(), key: newKey(), createdAt: new Date().toISOString() };
    const user = userEntry(message, "sending");
    this.entries.value = [...this.entries.value, user];
    drafts.set(this.place.value, "");
    void this.deliver(user, context);
  }

  /** The same message under the same key: whatever the first attempt did, it is answered once. */
  resend(user: UserEntry): void {
    if (!this.live.value) void this.deliver(user, null);
  }

  discard(user: UserEntry): void {
    this.entries.value = this.entries.value.filter((entry) => entry !== user);
    outbox.set(this.place.value, null);
  }

  /** After a failed answer: take up the run where it still may be going, else ask anew. */
  retry(answer: AnswerEntry): void {
    if (this.live.value) return;
    const { error, runId } = answer.state.value;
    if (error?.code === "connection_lost" && runId) {
      answer.state.value = { ...answer.state.value, status: "streaming", error: null };
      void this.attend(answer, runId);
      return;
    }
    const question = this.questionOf(answer);
    if (question) this.send(question, null);
  }

  questionOf(answer: AnswerEntry): string | null {
    const before = this.entries.value[this.entries.value.indexOf(answer) - 1];
    return before?.kind === "user" ? before.state.value.text : null;
  }

  async stop(): Promise<void> {
    const live = this.live.value;
    if (!live) return;
    this.stopping.value = true;
    window.clearTimeout(this.patience);
    this.patience = window.setTimeout(() => this.giveUp(live), STOP_PATIENCE_MS);
    const runId = live.state.value.runId;
    if (runId) await this.cancel(runId);
  }

  private async cancel(runId: string): Promise<void> {
    try {
      await runs.cancel(runId);
      // What waited for a person waits no more: the end is fetched.
      const live = this.live.value;
      if (live?.state.value.status === "waiting") {
        live.state.value = { ...live.state.value, status: "streaming", approvals: [] };
      }
    } catch (error) {
      window.clearTimeout(this.patience);
      this.stopping.value = false;
      toast(`The answer was not stopped. ${messageOf(error)}`);
    }
  }

  private giveUp(live: AnswerEntry): void {
    if (this.live.value !== live) return;
    live.state.value = { ...live.state.value, status: "stopped", approvals: [] };
    this.controller.abort();
  }

  private async deliver(user: UserEntry, context: PageContext | null): Promise<void> {
    const { text, files, createdAt } = user.state.value;
    user.state.value = { ...user.state.value, status: "sending", error: null };
    outbox.set(this.place.value, { text, files, key: user.sendKey, createdAt });
    const answer = answerEntry(newAnswer());
    this.entries.value = [...this.entries.value, answer];
    let accepted = false;
    const accept = (): void => {
      accepted = true;
      outbox.set(this.place.value, null);
      user.state.value = { ...user.state.value, status: "complete" };
    };
    const open = (signal: AbortSignal) => this.start(user, context, signal);
    try {
      await this.attendWith(answer, open, accept);
    } catch (error) {
      const { runId } = answer.state.value;
      if (accepted) return runId ? this.settle(answer, runId, error) : this.fail(answer, error);
      this.entries.value = this.entries.value.filter((entry) => entry !== answer);
      const reason = isAbort(error) ? "It was not sent." : sendProblem(error);
      user.state.value = { ...user.state.value, status: "failed", error: reason };
      if (error instanceof ApiError && error.code === "run_in_progress") await this.adoptLiveRun();
    }
  }

  private async start(user: UserEntry, context: PageContext | null, signal: AbortSignal): Promise<Response> {
    const threadId = this.threadId.value ?? (await this.createThread(user));
    const { text, files } = user.state.value;
    return runs.start({ threadId, text, files, key: user.sendKey, context }, signal);
  }

  private async createThread(user: UserEntry): Promise<string> {
    const thread = await api.create(this.courseId, user.sendKey);
    const before = this.place.value;
    outbox.set(thread.id, outbox.get(before));
    outbox.set(before, null);
    // What was typed meanwhile belongs to this conversation.
    drafts.set(thread.id, drafts.get(before));
    drafts.set(before, "");
    draftFiles.set(thread.id, draftFiles.get(before));
    draftFiles.set(before, []);
    this.threadId.value = thread.id;
    this.assistant.value = thread.assistant;
    putThread({ ...thread, preview: thread.preview ?? user.state.value.text });
    this.onThread(this, thread);
    return thread.id;
  }

  /** Another window or device is being answered here: show that answer too. */
  private async adoptLiveRun(): Promise<void> {
    const id = this.threadId.value;
    const thread = id ? await api.get(id).catch(() => null) : null;
    if (thread?.live_run_id) await this.load();
  }

  private resume(runId: string): void {
    const answer = answerEntry(newAnswer(runId));
    this.entries.value = [...this.entries.value, answer];
    void this.attend(answer, runId);
  }

  /** A question without an answer: its run knows whether the person stopped it or it died. */
  private async recallEnd(): Promise<void> {
    const last = this.entries.value.at(-1);
    if (last?.kind !== "answer" || last.state.value.messageId !== null || !last.state.value.runId) return;
    const run = await runs.get(last.state.value.runId).catch(() => null);
    if (run?.status === "cancelled") last.state.value = { ...last.state.value, status: "stopped", error: null };
    else if (run?.error) last.state.value = { ...last.state.value, error: run.error };
  }

  private async attend(answer: AnswerEntry, runId: string): Promise<void> {
    try {
      await this.attendWith(
        answer,
        (signal) => runs.follow(runId, answer.state.value.lastId, signal),
        () => undefined,
      );
    } catch (error) {
      await this.settle(answer, runId, error);
    }
  }

  private async attendWith(
    answer: AnswerEntry,
    first: (signal: AbortSignal) => Promise<Response>,
    onOpen: () => void,
  ): Promise<void> {
    const controller = new AbortController();
    this.controller = controller;
    this.live.value = answer;
    announce("Waiting for the answer.");
    const attempt = {
      answer: answer.state,
      signal: controller.signal,
      open: (state: AnswerState) =>
        state.runId ? runs.follow(state.runId, state.lastId, controller.signal) : first(controller.signal),
      onOpen,
      onReconnecting: (lost: boolean) => (answer.reconnecting.value = lost),
      onEvent: (event: RunEvent) => this.notice(event),
    };
    try {
      await follow(attempt);
      while (answer.state.value.status === "waiting" && !controller.signal.aborted) {
        await awaitAnswers(answer, controller.signal);
        await follow(attempt);
      }
      announce(ENDINGS[answer.state.value.status]);
    } finally {
      this.release(answer);
    }
  }

  private release(answer: AnswerEntry): void {
    window.clearTimeout(this.patience);
    answer.reconnecting.value = false;
    if (this.live.value === answer) this.live.value = null;
    this.stopping.value = false;
    const id = this.threadId.value;
    const preview = bareText(answer.state.value.text.slice(0, 400)).slice(0, 120);
    if (id) changeThread(id, { live_run_id: null, updated_at: new Date().toISOString(), ...(preview && { preview }) });
  }

  private notice(event: RunEvent): void {
    // The first words only, for want of a better title: one that came over the feed meanwhile is better.
    if (event.type === "thread.titled" && !titled(event.thread_id)) changeThread(event.thread_id, { title: event.title });
    if (event.type === "approval.requested") announce(waitingFor(event.approval));
    if (event.type !== "run.started") return;
    announce("The answer has begun.");
    changeThread(event.thread_id, { live_run_id: event.run_id });
    if (this.stopping.value) void this.cancel(event.run_id);
  }

  /** The stream is not to be had: the run itself may still know how it ended. */
  private async settle(answer: AnswerEntry, runId: string, error: unknown): Promise<void> {
    if (answer.state.value.status === "stopped") return;
    try {
      const run = await runs.get(runId);
      if (run.answer) answer.state.value = answerFromMessage(run.answer, answer.state.value);
      else if (run.error) answer.state.value = { ...answer.state.value, status: "failed", error: run.error };
      else this.fail(answer, error);
    } catch {
      this.fail(answer, error);
    }
  }

  private fail(answer: AnswerEntry, error: unknown): void {
    if (answer.state.value.status !== "streaming") return;
    const status = error instanceof ApiError ? error.status : null;
    const code = status === 0 || status === 401 ? "connection_lost" : "interrupted";
    const detail =
      code === "connection_lost"
        ? `${status === 401 ? "You were signed out. " : ""}What had arrived is kept; the answer may have gone on.`
        : messageOf(error);
    answer.state.value = { ...answer.state.value, status: "failed", error: { code, detail, retry: true } };
    announce(ENDINGS.failed);
  }

  /** A message that never reached the server comes back with its text, ready to be sent again. */
  private restoreUnsent(): void {
    const waiting = outbox.get(this.place.value);
    if (!waiting) return;
    const arrived = this.entries.value.some(
      (entry) =>
        entry.kind === "user" &&
        entry.state.value.text === waiting.text &&
        entry.state.value.createdAt >= waiting.createdAt.slice(0, 19),
    );
    if (arrived) outbox.set(this.place.value, null);
    else this.entries.value = [...this.entries.value, userEntry(waiting, "failed", "This message was not sent.")];
  }
}

const ENDINGS = {
  streaming: "",
  waiting: "",
  complete: "The answer is complete.",
  stopped: "The answer was stopped.",
  failed: "The answer failed.",
};

function sendProblem(error: unknown): string {
  if (!(error instanceof ApiError)) return messageOf(error);
  if (error.status === 401) return "You were signed out. Sign in, then send it again.";
  if (error.status === 429 && error.retryAfter !== null) {
    const wait = error.retryAfter < 90 ? `${error.retryAfter} seconds` : `${Math.ceil(error.retryAfter / 60)} minutes`;
    return `${error.message} You can send again in ${wait}.`;
  }
  return error.message;
}

/** Random, and available on plain http too, where crypto.randomUUID is not. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
