"""Whether histories and what is stored agree with what the server promises. Pure: values in, complaints out.

An acknowledged message must be there, once. One of unknown outcome may be there, once. Everything that a client saw
must be in order, must not contradict the journal, and must come to the answer that is stored.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tests.crash.history import TERMINAL, History, Id, Seen, Send, Stored, Stream


def violations(history: History, stored: Stored) -> list[str]:
    """Every broken promise, in words; empty when all were kept."""
    return [
        *history.surprises,
        *(problem for send in history.sends for problem in _send(send, stored)),
        *(problem for run in stored.runs.values() for problem in _ending(run, stored)),
        *(problem for run_id in stored.runs for problem in _results(run_id, stored)),
        *_effects(stored),
        *(problem for run_id, events in stored.journals.items() for problem in _order(run_id, events)),
        *(problem for stream in history.streams for problem in _stream(stream, stored)),
        *(
            problem
            for thread_id, messages in stored.messages.items()
            for problem in _thread(thread_id, messages)
        ),
    ]


def _send(send: Send, stored: Stored) -> Iterator[str]:
    """A message: lost, doubled, or answered under another name than it was acknowledged."""
    found = [m for m in stored.messages.get(send.thread_id, []) if m["text"] == send.text]
    if len(found) > 1:
        yield f"duplicate: key {send.key} made {len(found)} messages"
    if send.outcome != "ok":
        return
    if not found:
        yield f"lost: key {send.key} was acknowledged as {send.message_id} and is not stored"
    elif (found[0]["id"], found[0]["run_id"]) != (send.message_id, send.run_id):
        yield f"changed: key {send.key} was acknowledged as {send.message_id} and is stored as {found[0]['id']}"


def _ending(run: dict[str, object], stored: Stored) -> Iterator[str]:
    """A run ends in one answer or a shown error."""
    if run["status"] not in ("completed", "failed", "cancelled"):
        yield f"endless: {run['id']} is {run['status']}"
    if run["status"] == "completed" and not run["answer"]:
        yield f"unanswered: {run['id']} is completed without an answer"
    if run["status"] == "failed" and not run["error"]:
        yield f"unexplained: {run['id']} failed without an error"
    events = stored.journals.get(str(run["id"]), [])
    wanted = f"run.{run['status']}"
    if events and events[-1].name in TERMINAL and events[-1].name != wanted:
        yield f"contradiction: {run['id']} is {run['status']}, its journal says {events[-1].name}"


def _finished(events: Sequence[Seen]) -> list[Seen]:
    return [event for event in events if event.name == "tool.finished"]


def _results(run_id: str, stored: Stored) -> Iterator[str]:
    """A tool call has one result, known, and in the answer."""
    finished = _finished(stored.journals.get(run_id, []))
    for call_id, count in Counter(str(event.data["call_id"]) for event in finished).items():
        if count > 1:
            yield f"duplicate: {run_id} has {count} results of {call_id}"
    for event in finished:
        if event.data["status"] == "unknown":
            yield f"unknown: {run_id} does not know what came of {event.data['name']}, which is ours"
    answer = stored.runs[run_id]["answer"]
    kept = {part["call_id"] for part in answer["parts"] if part["type"] == "tool"} if answer else set[str]()
    if answer and (missing := {str(event.data["call_id"]) for event in finished} - kept):
        yield f"lost: the answer of {run_id} lacks the results of {sorted(missing)}"


def _effects(stored: Stored) -> Iterator[str]:
    """What the journals say was done to tasks is what the tasks are."""
    wanted: Counter[str] = Counter()
    for events in stored.journals.values():
        given = {
            str(event.data["call_id"]): json.loads(event.data["arguments"])
            for event in events
            if event.name == "tool.called"
        }
        titles = {call_id: str(each["title"]) for call_id, each in given.items() if "title" in each}
        for event in _finished(events):
            if event.data["status"] != "ok":
                continue
            if event.data["name"] == "create_task":
                wanted[titles[str(event.data["call_id"])]] += 1
            elif event.data["name"] == "delete_task":
                wanted[next(iter(titles.values()))] -= 1  # the one that its own run has made
    there = Counter(stored.tasks)
    for title in sorted(wanted.keys() | there.keys()):
        if wanted[title] != there[title]:
            yield f"effect: the journals tell of {wanted[title]} tasks {title!r}, there are {there[title]}"


def _thread(thread_id: str, messages: Sequence[dict[str, object]]) -> Iterator[str]:
    """Positions are 1, 2, 3 …; a run has one answer."""
    positions = [message["position"] for message in messages]
    if positions != list(range(1, len(positions) + 1)):
        yield f"positions: {thread_id} has {positions}"
    answers = Counter(m["run_id"] for m in messages if m["role"] == "assistant")
    for run_id, count in answers.items():
        if count > 1:
            yield f"duplicate: {run_id} has {count} answers"


def _order(run_id: str, events: Sequence[Seen], *, whole: bool = True) -> Iterator[str]:
    """Ids without gaps, later epochs beginning with a restart, one end and nothing after it."""
    if whole and (not events or events[-1].name not in TERMINAL):
        yield f"endless: {run_id} has no terminal event"
    before = Id(0, 0)
    for event in events:
        if event.id != Id(before.epoch, before.n + 1) and not (
            event.id.epoch > before.epoch and event.id.n == 1
        ):
            yield f"gap: {run_id} has {event.id} after {before}"
        if event.id.epoch > max(before.epoch, 1) and event.name != "answer.restarted":
            yield f"silent takeover: {run_id} begins epoch {event.id.epoch} with {event.name}"
        before = event.id
    for event, following in pairwise(events):
        if event.name in TERMINAL:
            yield f"after the end: {run_id} has {following.name} {following.id} after {event.name}"


def _stream(stream: Stream, stored: Stored) -> Iterator[str]:
    """What a client saw: in order, as journalled, with nothing journalled missing, and the stored answer at the end."""
    run_id = stream.run_id
    yield from _order(run_id, stream.seen)
    journalled = {event.id: event for event in stored.journals.get(run_id, [])}
    for event in stream.seen:
        kept = journalled.get(event.id)
        if kept is not None and (kept.name, kept.data) != (event.name, event.data):
            yield f"rewritten: {run_id} showed {event.name} as {event.id}, its journal has {kept.name}"
    missing = sorted(set(journalled) - {event.id for event in stream.seen})
    if missing:
        yield f"missed: {run_id} journalled {missing[0]}, which a client that resumed never saw"
    run = stored.runs.get(run_id)
    if run is None:
        yield f"lost: {run_id} was acknowledged and is not stored"
        return
    answer = run["answer"]["text"] if run["answer"] else ""
    if stream.ended and stream.text() != answer:
        yield f"text: {run_id} showed {stream.text()[-60:]!r}, its answer ends {answer[-60:]!r}"


def resume_times(history: History, kills: Sequence[float]) -> list[float]:
    """Seconds from a kill (the last, where several came between) to the next event of a run that a client followed."""
    found: list[float] = []
    for stream in history.streams:
        for before, after in pairwise(stream.seen):
            between = [kill for kill in kills if before.at < kill < after.at]
            if between:
                found.append(after.at - between[-1])
    return sorted(found)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of sorted `values` lies; 0 when there are none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0
