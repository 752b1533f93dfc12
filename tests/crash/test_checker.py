"""The checker itself: it lets an honest history be and catches each way to break a promise."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest

from tests.crash.checker import percentile, resume_times, violations
from tests.crash.history import Frames, History, Id, Seen, Send, Stored, Stream

Case = tuple[History, Stored]


def event(id: str, what: str, /, **data: object) -> Seen:
    return Seen(Id.read(id), what, data, at=float(Id.read(id).n))


def honest() -> Case:
    """One message, answered in the second attempt; two words of the first were never journalled."""
    journal = [
        event("1.1", "run.started"),
        event("1.2", "text.delta", text="Half"),
        event("2.1", "answer.restarted", text=""),
        event("2.2", "tool.called", call_id="c1", name="create_task", arguments='{"title": "Milk"}'),
        event("2.3", "tool.finished", call_id="c1", name="create_task", status="ok", result=""),
        event("2.4", "text.delta", text="Whole."),
        event("2.5", "run.completed"),
    ]
    seen = [*journal[:2], event("1.3", "text.delta", text=" of it"), *journal[2:]]
    answer = {"text": "Whole.", "parts": [{"type": "tool", "call_id": "c1"}]}
    run = {"id": "run_1", "status": "completed", "answer": answer, "error": None}
    messages = [
        {"id": "msg_1", "run_id": "run_1", "role": "user", "text": "Ask", "position": 1},
        {"id": "msg_2", "run_id": "run_1", "role": "assistant", "text": "Whole.", "position": 2},
    ]
    history = History([Send("thr_1", "key", "Ask", "ok", "run_1", "msg_1")], [Stream("run_1", seen)])
    return history, Stored({"thr_1": messages}, {"run_1": run}, {"run_1": journal}, ["Milk"])


def test_an_honest_history_is_let_be() -> None:
    assert violations(*honest()) == []


def test_a_message_of_unknown_outcome_may_be_there_or_not() -> None:
    history, stored = honest()
    history.sends[0].outcome = "unknown"
    history.sends.append(Send("thr_1", "other", "Never arrived"))

    assert violations(history, stored) == []


def _lose(case: Case) -> None:
    case[1].messages["thr_1"].clear()


def _double(case: Case) -> None:
    messages = case[1].messages["thr_1"]
    messages.append({**messages[0], "id": "msg_3", "position": 3})


def _answer_twice(case: Case) -> None:
    messages = case[1].messages["thr_1"]
    messages.append({**messages[1], "id": "msg_3", "position": 3})


def _skip(case: Case) -> None:
    del case[0].streams[0].seen[1]


def _repeat(case: Case) -> None:
    seen = case[0].streams[0].seen
    seen.insert(2, seen[1])


def _go_on(case: Case) -> None:
    case[1].journals["run_1"].append(event("2.6", "text.delta", text="More"))


def _never_end(case: Case) -> None:
    case[1].runs["run_1"]["status"] = "running"


def _break_off(case: Case) -> None:
    case[0].streams[0].seen.pop()


def _take_over_silently(case: Case) -> None:
    for events in (case[0].streams[0].seen, case[1].journals["run_1"]):
        at = next(n for n, each in enumerate(events) if each.name == "answer.restarted")
        events[at] = event("2.1", "text.delta", text="")


def _rewrite(case: Case) -> None:
    seen = case[0].streams[0].seen
    seen[1] = replace(seen[1], data={"text": "Halb"})


def _tell_another_answer(case: Case) -> None:
    case[1].runs["run_1"]["answer"] = {
        "text": "Something else.",
        "parts": [{"type": "tool", "call_id": "c1"}],
    }


def _do_twice(case: Case) -> None:
    case[1].tasks.append("Milk")


def _forget_the_effect(case: Case) -> None:
    case[1].tasks.clear()


def _forget_the_result(case: Case) -> None:
    case[1].runs["run_1"]["answer"]["parts"].clear()


def _do_not_know(case: Case) -> None:
    finished = next(event for event in case[1].journals["run_1"] if event.name == "tool.finished")
    finished.data["status"] = "unknown"


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (_lose, "lost"),
        (_double, "duplicate"),
        (_answer_twice, "duplicate"),
        (_skip, "gap"),
        (_skip, "missed"),
        (_repeat, "gap"),
        (_go_on, "after the end"),
        (_never_end, "endless"),
        (_break_off, "endless"),
        (_take_over_silently, "silent takeover"),
        (_rewrite, "rewritten"),
        (_tell_another_answer, "text"),
        (_do_twice, "effect"),
        (_forget_the_effect, "effect"),
        (_forget_the_result, "lost"),
        (_do_not_know, "unknown"),
    ],
)
def test_a_broken_promise_is_caught(broken: Callable[[Case], None], named: str) -> None:
    case = deepcopy(honest())
    broken(case)

    assert any(problem.startswith(named) for problem in violations(*case))


def test_a_resume_is_timed_from_the_last_kill_before_the_next_event() -> None:
    history = History(streams=[Stream("run_1", [event("1.1", "run.started"), event("1.9", "text.delta")])])

    assert resume_times(history, [0.5, 4.0, 6.0, 9.5]) == [3.0]
    assert percentile([1.0, 2.0, 3.0], 0.5) == 2.0
    assert percentile([], 0.95) == 0.0


def test_frames_are_read_wherever_they_are_cut() -> None:
    wire = 'id: 1.7\nevent: text.delta\ndata: {"type":"text.delta","text":"ä🎈"}\n\n: keep-alive\n\n'.encode()
    for cut in range(len(wire)):
        frames = Frames()
        found = frames.feed(wire[:cut], 1.0) + frames.feed(wire[cut:], 2.0)
        assert [(str(each.id), each.data) for each in found] == [("1.7", {"text": "ä🎈"})]
