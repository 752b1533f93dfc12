"""What of a run's events still holds, for whoever reads them from the beginning; and ids as programs are shown them.

A later attempt takes words back, and calls that nothing came of. Protocols without taking back are told of neither.
"""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from famulus.conversations.parts import Citation, Part, Reasoning, Text, Tool
from famulus.identity.principal import Principal
from famulus.runs.events import (
    START,
    AnswerRestarted,
    ApprovalCard,
    ApprovalRequested,
    CitationAdded,
    Entry,
    EventId,
    MessageCompleted,
    ReasoningDelta,
    TextDelta,
    ToolCalled,
    ToolFinished,
)
from famulus.runs.service import Runs

GONE = "This conversation was deleted while it was answered."
UNKNOWN = "What came of this call is not known."
MOST_PAGES = 500
"""Pages of a journal that are read at once."""
_CALL = re.compile(r"(run_[A-Za-z0-9]{1,60})\.(.{1,200})", re.ASCII)
_QUESTION = re.compile(r"(apr_[A-Za-z0-9]{1,60})\.([A-Za-z0-9]{1,64})", re.ASCII)


def shown_call(run_id: str, call_id: str) -> str:
    """The id of a call, alone of its kind in the whole conversation."""
    return f"{run_id}.{call_id}"


def read_call(shown: str) -> tuple[str, str] | None:
    """The run and the call of an id; None for any other."""
    found = _CALL.fullmatch(shown)
    return (found[1], found[2]) if found else None


def shown_question(card: ApprovalCard) -> str:
    """The id of a call that waits: who answers it answers for just what was shown."""
    return f"{card.id}.{card.hash}"


def read_question(shown: str) -> tuple[str, str] | None:
    """The approval and the hash of an id; None for any other."""
    found = _QUESTION.fullmatch(shown)
    return (found[1], found[2]) if found else None


async def journalled(runs: Runs, principal: Principal, run_id: str) -> list[Entry]:
    """Everything that the journal has of a run; raises RunNotFound."""
    entries: list[Entry] = []
    for _ in range(MOST_PAGES):
        found = await runs.events(principal, run_id, entries[-1].id if entries else START)
        if not found:
            break
        entries += found
    return entries


def last_of(entries: Sequence[Entry]) -> EventId:
    """The id of the last one; the start where there is none."""
    return entries[-1].id if entries else START


def settled(entries: Sequence[Entry]) -> list[Entry]:
    """The events that still hold, their words in one piece each."""
    finished = {each.event.call_id for each in entries if isinstance(each.event, ToolFinished)}
    kept: list[Entry] = []
    for entry in entries:
        event = entry.event
        if isinstance(event, AnswerRestarted):
            kept = [each for each in _cut(kept, len(event.text)) if not _lost(each, finished)]
            while kept and isinstance(kept[-1].event, ReasoningDelta):
                kept.pop()
        elif isinstance(event, TextDelta) and kept and isinstance(last := kept[-1].event, TextDelta):
            kept[-1] = Entry(entry.id, TextDelta(last.text + event.text))
        elif (
            isinstance(event, ReasoningDelta) and kept and isinstance(last := kept[-1].event, ReasoningDelta)
        ):
            kept[-1] = Entry(entry.id, ReasoningDelta(last.text + event.text))
        else:
            kept.append(entry)
    return kept


def _lost(entry: Entry, finished: set[str]) -> bool:
    """Whether it is a call that nothing came of. One that waits for a person has not been made yet."""
    return isinstance(entry.event, ToolCalled) and entry.event.call_id not in finished


def _cut(entries: list[Entry], length: int) -> list[Entry]:
    """The events with only so many characters of their words, and no citation of those that are lost."""
    kept: list[Entry] = []
    lost = False
    for entry in entries:
        event = entry.event
        if isinstance(event, TextDelta):
            if length:
                kept.append(Entry(entry.id, TextDelta(event.text[:length])))
            lost = lost or len(event.text) > length
            length -= min(length, len(event.text))
        elif not (lost and isinstance(event, CitationAdded)):
            kept.append(entry)
    return kept


def parts_so_far(entries: Sequence[Entry]) -> list[Part]:
    """What an answer is made of that is still coming about, of settled events."""
    parts: list[Part] = []
    at: dict[str, int] = {}
    for entry in entries:
        match entry.event:
            case TextDelta(text=text):
                parts.append(Text(text))
            case ReasoningDelta(text=text):
                parts.append(Reasoning(text))
            case CitationAdded(citation=citation):
                parts.append(citation)
            case ToolCalled(call_id=id, name=name, arguments=arguments):
                _put(parts, at, Tool(id, name, arguments))
            case ApprovalRequested(approval=card):
                _put(parts, at, Tool(card.call_id, card.name, card.arguments))
            case ToolFinished(call_id=id, name=name, status=status, result=result):
                before = parts[at[id]] if id in at else Tool(id, name, "{}")
                assert isinstance(before, Tool), "only calls are put there"
                _put(parts, at, replace(before, status=status, result=result))
            case MessageCompleted(message=message):
                return list(message.parts)
            case _:
                pass
    return parts


def _put(parts: list[Part], at: dict[str, int], tool: Tool) -> None:
    if tool.call_id in at:
        parts[at[tool.call_id]] = tool
    else:
        at[tool.call_id] = len(parts)
        parts.append(tool)


def cited_in(parts: Sequence[Part], text: str) -> list[Citation]:
    """What a text rests on, by its marks."""
    return [each for each in parts if isinstance(each, Citation) and f"[{each.number}]" in text]
