import { describe, expect, it } from "vitest";
import type { RunEvent } from "../src/api/events";
import type { Approval, CitationPart, Message, Undo } from "../src/api/types";
import { applyEvent, isNewer, newAnswer, withCard, type AnswerState } from "../src/state/answer";

const delta = (text: string): RunEvent => ({ type: "text.delta", text });
const cited = (number: number): CitationPart => ({
  type: "citation",
  number,
  passage_id: `chk_${number}`,
  document_id: "doc_1",
  lesson_id: null,
  title: "Nodes",
  heading_path: [],
  quote: "A node does one thing.",
  url: null,
});

const undo: Undo = { tool: "make", arguments: "{}", label: "Make it again" };
const asked = (id: string, callId: string): Approval => ({
  id,
  call_id: callId,
  name: "remove",
  effect: "destroys",
  title: "Remove it",
  arguments: "{}",
  changes: [],
  notes: [],
  hash: "abc",
  wants: "yes",
  expires_at: "2026-11-21T19:00:00Z",
});
const answered = (id: string, callId: string, decision: "approved" | "denied"): RunEvent => ({
  type: "approval.answered",
  approval_id: id,
  call_id: callId,
  decision,
  reason: null,
});

function play(events: [string, RunEvent][], from: AnswerState = newAnswer()): AnswerState {
  return events.reduce((state, [id, event]) => applyEvent(state, id, event), from);
}

describe("applyEvent", () => {
  it("keeps what was thought apart from what is said, and forgets it with a broken attempt", () => {
    const think = (text: string): RunEvent => ({ type: "reasoning.delta", text });
    const first: [string, RunEvent][] = [
      ["1.1", think("Hm. ")],
      ["1.2", think("So.")],
    ];
    expect(play(first)).toMatchObject({ thought: "Hm. So.", thinking: true, text: "" });
    const said = play([...first, ["1.3", delta("Yes")], ["1.4", think("Or?")]]);
    expect(said).toMatchObject({ thought: "Hm. So.\n\nOr?", thinking: true, text: "Yes" });
    const again = play([...first, ["2.1", { type: "answer.restarted", text: "", reason: "taken_over" }]]);
    expect(again).toMatchObject({ thought: "", thinking: false });
  });

  it("builds an answer from its events", () => {
    const state = play([
      [
        "1.1",
        {
          type: "run.started",
          run_id: "run_1",
          thread_id: "thr_1",
          message_id: "msg_1",
          assistant: { id: "ast_1", name: "Tutor" },
          model: null,
        },
      ],
      ["1.2", { type: "retrieval.finished", passages: [], took_ms: 3 }],
      ["1.3", delta("A node ")],
      ["1.4", delta("does one thing [1].")],
      ["1.5", { type: "citation.added", citation: cited(1) }],
      ["1.6", { type: "run.completed", run_id: "run_1", usage: { cost_usd: null, input_tokens: 1, output_tokens: 2 } }],
    ]);
    expect(state).toMatchObject({
      status: "complete",
      runId: "run_1",
      assistant: "Tutor",
      text: "A node does one thing [1].",
      passages: [],
      lastId: "1.6",
    });
    expect(state.citations.map((item) => item.number)).toEqual([1]);
  });

  it("applies an event once, however often it arrives", () => {
    const state = play([
      ["1.1", delta("a")],
      ["1.2", delta("b")],
      ["1.1", delta("a")],
      ["1.2", delta("b")],
      ["1.10", delta("c")],
    ]);
    expect(state.text).toBe("abc");
    expect(isNewer("1.10", "1.9")).toBe(true);
    expect(isNewer("2.1", "1.99")).toBe(true);
    expect(isNewer("1.99", "2.1")).toBe(false);
  });

  it("drops the half answer when another attempt takes over", () => {
    const before = play([
      ["1.1", { type: "tool.called", call_id: "c1", name: "list", arguments: "{}" }],
      ["1.2", { type: "tool.finished", call_id: "c1", name: "list", status: "ok", result: "1" }],
      ["1.3", { type: "tool.called", call_id: "c2", name: "list", arguments: "{}" }],
      ["1.4", delta("Kept [1]. Half [2]")],
      ["1.5", { type: "citation.added", citation: cited(1) }],
      ["1.6", { type: "citation.added", citation: cited(2) }],
    ]);
    const after = play(
      [
        ["2.1", { type: "answer.restarted", text: "Kept [1].", reason: "taken over" }],
        ["1.7", delta("late")],
      ],
      before,
    );
    expect(after.text).toBe("Kept [1].");
    expect(after.citations.map((item) => item.number)).toEqual([1]);
    expect(after.tools.map((tool) => tool.callId)).toEqual(["c1"]);
    expect(play([["2.2", delta(" New.")]], after).text).toBe("Kept [1]. New.");
  });

  it("waits for a person, and goes on when all cards are answered", () => {
    const waiting = play([
      ["1.1", delta("I will remove it.")],
      ["1.2", { type: "approval.requested", approval: asked("apr_1", "c1") }],
      ["1.3", { type: "approval.requested", approval: asked("apr_2", "c2") }],
    ]);
    expect(waiting.status).toBe("waiting");
    expect(waiting.approvals.map((card) => [card.asked.id, card.state])).toEqual([
      ["apr_1", "waiting"],
      ["apr_2", "waiting"],
    ]);
    const half = withCard(waiting, "apr_1", { state: "approved" });
    expect(half.status).toBe("waiting");
    expect(withCard(half, "apr_9", { state: "denied" })).toBe(half);
    expect(withCard(half, "apr_2", { state: "answering" }).status).toBe("waiting");
    const whole = withCard(half, "apr_2", { state: "denied" });
    expect(whole.status).toBe("streaming");

    const after = play(
      [
        ["2.1", { type: "answer.restarted", text: "I will remove it.", reason: "resumed" }],
        ["2.2", answered("apr_1", "c1", "approved")],
        ["2.3", { type: "tool.called", call_id: "c1", name: "remove", arguments: "{}", effect: "destroys" }],
        ["2.4", { type: "tool.finished", call_id: "c1", name: "remove", status: "ok", result: "{}", undo }],
        ["2.5", answered("apr_2", "c2", "denied")],
        ["2.6", { type: "tool.finished", call_id: "c2", name: "remove", status: "denied", result: "No." }],
      ],
      whole,
    );
    expect(after.status).toBe("streaming");
    expect(after.approvals).toEqual([]);
    expect(after.tools.map((tool) => [tool.callId, tool.status, tool.effect, tool.undo])).toEqual([
      ["c1", "ok", "destroys", undo],
      ["c2", "denied", "reads", null],
    ]);
  });

  it("learns from the events that somebody else has answered", () => {
    const waiting = play([["1.1", { type: "approval.requested", approval: asked("apr_1", "c1") }]]);
    const after = play(
      [
        ["2.1", { type: "answer.restarted", text: "", reason: "resumed" }],
        ["2.2", answered("apr_1", "c1", "denied")],
      ],
      waiting,
    );
    expect(after).toMatchObject({ status: "streaming", approvals: [{ state: "denied" }] });
  });

  it("shows no card in an answer that has ended", () => {
    const waiting = play([["1.1", { type: "approval.requested", approval: asked("apr_1", "c1") }]]);
    const error = { code: "approval_expired", detail: "Nobody confirmed in time.", retry: true };
    const cancelled = play([["2.1", { type: "run.cancelled", run_id: "r" }]], waiting);
    expect(cancelled).toMatchObject({ status: "stopped", approvals: [] });
    const failed = play([["2.1", { type: "run.failed", run_id: "r", error }]], waiting);
    expect(failed).toMatchObject({ status: "failed", approvals: [] });
  });

  it("takes from a message what can be taken back, and what was", () => {
    const tool = { type: "tool", call_id: "c1", name: "make", arguments: "{}", status: "ok", result: "{}" } as const;
    const parts = [{ ...tool, effect: "writes", undo, undone: true } as const, { ...tool, call_id: "c2" } as const];
    const bare = { type: "tool", call_id: "c3", name: "make", arguments: "{}" } as const;
    const message: Message = {
      id: "msg_2",
      thread_id: "thr_1",
      position: 1,
      parent_id: "msg_1",
      role: "assistant",
      status: "complete",
      text: "Made.",
      parts: [...parts, bare],
      run_id: "run_1",
      created_at: "2026-11-20T19:00:00Z",
    };
    const { tools } = play([["1.1", { type: "message.completed", message }]]);
    expect(tools.map((line) => [line.effect, line.undo, line.undone, line.status])).toEqual([
      ["writes", undo, true, "ok"],
      ["reads", null, false, "ok"],
      ["reads", null, false, "unknown"],
    ]);
  });

  it("keeps the partial text of a stopped and of a failed answer", () => {
    const half = play([["1.1", delta("Half")]]);
    const error = { code: "model_unavailable", detail: "Too slow.", retry: true };
    expect(play([["1.2", { type: "run.cancelled", run_id: "r" }]], half)).toMatchObject({
      status: "stopped",
      text: "Half",
    });
    expect(play([["1.2", { type: "run.failed", run_id: "r", error }]], half)).toMatchObject({
      status: "failed",
      text: "Half",
      error,
    });
  });

  it("takes text and parts from the finished message", () => {
    const message: Message = {
      id: "msg_2",
      thread_id: "thr_1",
      position: 1,
      parent_id: "msg_1",
      role: "assistant",
      status: "complete",
      text: "Whole [2].",
      parts: [{ type: "text", text: "Whole [2]." }, cited(2)],
      run_id: "run_1",
      created_at: "2026-11-20T19:00:00Z",
    };
    const state = play([
      ["1.1", delta("Wh")],
      ["1.2", { type: "message.completed", message }],
    ]);
    expect(state).toMatchObject({ status: "streaming", text: "Whole [2].", messageId: "msg_2" });
    expect(state.citations).toHaveLength(1);
  });
});
