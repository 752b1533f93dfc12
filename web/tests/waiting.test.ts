// A run that waits for a person: its stream ends, nobody comes back before there is an answer, and then it goes on.
import { afterEach, describe, expect, it, vi } from "vitest";
import { runs } from "../src/api/endpoints";
import type { Approval, ApprovalView } from "../src/api/types";
import { newAnswer } from "../src/state/answer";
import { awaitAnswers, look, reply, takeBack } from "../src/state/confirming";
import { answerEntry, type AnswerEntry } from "../src/state/entries";
import { follow } from "../src/state/follow";
import { toasts } from "../src/state/notices";

const asked = (id: string): Approval => ({
  id,
  call_id: `call_${id}`,
  name: "delete_task",
  effect: "destroys",
  title: "Remove the task",
  arguments: '{"task":"tsk_1"}',
  changes: [],
  notes: [],
  hash: `hash of ${id}`,
  wants: "yes",
  expires_at: "2026-11-21T19:00:00Z",
});
const view = (id: string, status: ApprovalView["status"], more: Partial<ApprovalView> = {}): ApprovalView => ({
  id,
  status,
  approver: "asker",
  mine: true,
  approval: asked(id),
  edited: null,
  ...more,
});

function frame(id: string, event: string, data: object): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

const requested = (n: number, id: string) => frame(`1.${n}`, "approval.requested", { approval: asked(id) });
const ending =
  frame("2.1", "answer.restarted", { text: "", reason: "resumed" }) +
  frame("2.2", "approval.answered", { approval_id: "apr_1", call_id: "call_apr_1", decision: "approved" }) +
  frame("2.3", "run.completed", { run_id: "run_1", usage: {} });

interface Request {
  method: string;
  path: string;
  body: unknown;
}

/** A server on the wire: what it answers to each path in turn, the last answer over again. */
function serve(answers: Record<string, (() => Response)[]>): Request[] {
  const seen: Request[] = [];
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
    const key = `${init.method} ${path.split("?")[0]}`;
    seen.push({ method: init.method!, path, body: init.body ? JSON.parse(String(init.body)) : null });
    const queue = answers[key];
    if (!queue) throw new TypeError(`nothing at ${key}`);
    return Promise.resolve((queue.length > 1 ? queue.shift()! : queue[0]!)());
  });
  return seen;
}

const json = (value: unknown, status = 200) => () => new Response(JSON.stringify(value), { status });
const events = (text: string) => () => new Response(text, { status: 200 });

function waitingEntry(...ids: string[]): AnswerEntry {
  const entry = answerEntry(newAnswer("run_1"));
  const approvals = ids.map((id) => ({
    asked: asked(id),
    state: "waiting" as const,
    mine: null,
    approver: "asker",
    edited: false,
    problems: [],
  }));
  entry.state.value = { ...entry.state.value, status: "waiting", approvals };
  return entry;
}

function attempt(entry: AnswerEntry) {
  const lost: boolean[] = [];
  const { signal } = new AbortController();
  const open = (state: { lastId: string | null }) => runs.follow("run_1", state.lastId, signal);
  return { lost, options: { answer: entry.state, signal, open, onReconnecting: (is: boolean) => lost.push(is) } };
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  toasts.value = [];
});

describe("follow", () => {
  it("stops quietly when the stream ends because the run waits, and resumes after the last event", async () => {
    const requests = serve({
      "GET /api/v1/runs/run_1/events": [events(requested(1, "apr_1")), events(ending)],
      "POST /api/v1/approvals/apr_1": [json(view("apr_1", "approved"))],
    });
    const entry = answerEntry(newAnswer("run_1"));
    const { lost, options } = attempt(entry);
    await follow(options);
    expect(entry.state.value).toMatchObject({ status: "waiting", lastId: "1.1", error: null });
    expect(lost).not.toContain(true);
    expect(requests).toHaveLength(1);

    const over = awaitAnswers(entry, options.signal);
    await reply(entry, entry.state.value.approvals[0]!, { decision: "approve" });
    await over;
    await follow(options);
    expect(entry.state.value).toMatchObject({ status: "complete", approvals: [] });
    expect(requests[1]).toMatchObject({ method: "POST", body: { decision: "approve", hash: "hash of apr_1" } });
    expect(requests[2]!.path).toContain("after=1.1");
    expect(lost).not.toContain(true);
  });

  it("comes back at once, and calls it no loss, when the answer was given while the stream ended", async () => {
    serve({ "GET /api/v1/runs/run_1/events": [events(requested(1, "apr_1")), events(ending)] });
    const entry = answerEntry(newAnswer("run_1"));
    const { lost, options } = attempt(entry);
    const release = entry.state.subscribe(({ status, approvals }) => {
      if (status !== "waiting") return;
      const answered = approvals.map((card) => ({ ...card, state: "approved" as const }));
      entry.state.value = { ...entry.state.peek(), status: "streaming", approvals: answered };
    });
    await follow(options);
    release();
    expect(entry.state.value.status).toBe("complete");
    expect(lost).not.toContain(true);
  });
});

describe("awaitAnswers", () => {
  it("hears of an answer that was given elsewhere", async () => {
    vi.useFakeTimers();
    serve({ "GET /api/v1/approvals/apr_1": [json(view("apr_1", "pending")), json(view("apr_1", "denied"))] });
    const entry = waitingEntry("apr_1");
    const over = awaitAnswers(entry, new AbortController().signal);
    await vi.advanceTimersByTimeAsync(11_000);
    expect(entry.state.value).toMatchObject({ status: "waiting", approvals: [{ mine: true }] });
    await vi.advanceTimersByTimeAsync(11_000);
    await over;
    expect(entry.state.value).toMatchObject({ status: "streaming", approvals: [{ state: "denied" }] });
  });

  it("ends with its signal", async () => {
    const controller = new AbortController();
    const over = awaitAnswers(waitingEntry("apr_1"), controller.signal);
    controller.abort();
    await over;
  });
});

describe("reply", () => {
  it("goes on only when every card is answered", async () => {
    serve({
      "POST /api/v1/approvals/apr_1": [json(view("apr_1", "approved", { edited: "{}" }))],
      "POST /api/v1/approvals/apr_2": [json(view("apr_2", "denied"))],
    });
    const entry = waitingEntry("apr_1", "apr_2");
    await reply(entry, entry.state.value.approvals[0]!, { decision: "approve", arguments: { task: "tsk_2" } });
    expect(entry.state.value).toMatchObject({ status: "waiting", approvals: [{ state: "approved", edited: true }, {}] });
    await reply(entry, entry.state.value.approvals[1]!, { decision: "deny", reason: "Not now" });
    expect(entry.state.value.status).toBe("streaming");
  });

  it("shows what the server has against other arguments, and waits on", async () => {
    const fields = [{ path: "arguments", message: "The person has no task “x”." }];
    serve({
      "POST /api/v1/approvals/apr_1": [json({ code: "invalid", detail: "Not valid.", fields }, 422)],
      "GET /api/v1/approvals/apr_1": [json(view("apr_1", "pending"))],
    });
    const entry = waitingEntry("apr_1");
    await reply(entry, entry.state.value.approvals[0]!, { decision: "approve", arguments: { task: "x" } });
    const [card] = entry.state.value.approvals;
    expect(card).toMatchObject({ state: "waiting", problems: ["The person has no task “x”."] });
    expect(entry.state.value.status).toBe("waiting");
  });

  it("shows the new card when what was answered is not what is asked", async () => {
    const other = { ...asked("apr_1"), title: "Remove another task", hash: "another" };
    serve({
      "POST /api/v1/approvals/apr_1": [json({ code: "approval_differs", detail: "Look at it again." }, 409)],
      "GET /api/v1/approvals/apr_1": [json(view("apr_1", "pending", { approval: other }))],
    });
    const entry = waitingEntry("apr_1");
    await reply(entry, entry.state.value.approvals[0]!, { decision: "approve" });
    expect(entry.state.value.approvals[0]).toMatchObject({ asked: other, problems: ["Look at it again."] });
  });

  it("learns that it was settled elsewhere, or has arrived although the network said no", async () => {
    serve({
      "POST /api/v1/approvals/apr_1": [json({ code: "approval_settled", detail: "Answered already." }, 409)],
      "GET /api/v1/approvals/apr_1": [json(view("apr_1", "approved"))],
    });
    const entry = waitingEntry("apr_1");
    await reply(entry, entry.state.value.approvals[0]!, { decision: "deny" });
    expect(entry.state.value).toMatchObject({ status: "streaming", approvals: [{ state: "approved" }] });
  });
});

describe("look", () => {
  it("says whose answer is waited for", async () => {
    serve({
      "GET /api/v1/approvals/apr_1": [json(view("apr_1", "pending", { mine: false, approver: "teacher" }))],
    });
    const entry = waitingEntry("apr_1");
    await look(entry, "apr_1");
    expect(entry.state.value.approvals[0]).toMatchObject({ mine: false, approver: "teacher", state: "waiting" });
  });

  it("leaves the decision to the server when it cannot be asked", async () => {
    serve({});
    const entry = waitingEntry("apr_1");
    await look(entry, "apr_1");
    expect(entry.state.value.approvals[0]).toMatchObject({ mine: true, state: "waiting" });
  });
});

describe("takeBack", () => {
  const line = { type: "tool", call_id: "c1", name: "create_task", arguments: "{}", status: "ok", result: "{}" };
  const undo = { tool: "delete_task", arguments: "{}", label: "Remove it again" };
  const message = (undone: boolean) => ({
    id: "msg_2",
    role: "assistant",
    status: "complete",
    text: "Done.",
    parts: [{ ...line, undo, undone }],
    run_id: "run_1",
    created_at: "2026-11-20T19:00:00Z",
  });

  it("marks the call by the message that comes back", async () => {
    const requests = serve({ "POST /api/v1/messages/msg_2/undo": [json(message(true))] });
    const entry = waitingEntry();
    await takeBack(entry, "msg_2", "c1");
    expect(requests[0]!.path).toBe("/api/v1/messages/msg_2/undo?call_id=c1");
    expect(entry.state.value.tools).toMatchObject([{ callId: "c1", undone: true, undo }]);
    expect(toasts.value).toEqual([]);
  });

  it("says when it did not succeed", async () => {
    serve({ "POST /api/v1/messages/msg_2/undo": [json({ code: "forbidden", detail: "No longer yours." }, 403)] });
    const entry = waitingEntry();
    await takeBack(entry, "msg_2", "c1");
    expect(toasts.value[0]!.text).toBe("It was not taken back. No longer yours.");
  });
});
