"""What the model is told of earlier turns: what was said, which tools were called and what came of them. Pure.

Our own calls and results are told as the wires tell those of the answer itself, cut to what reminds of them. Their ids
are made anew: those of one answer may come again in the next, and not every provider takes those of another.

Calls that a program carries out itself stand in its thread as parts: the call in the answer that ends with it, its
result in the message that follows. Servers of models refuse one without the other, so what has no other half is left
out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from famulus.conversations.parts import Attached, ClientCall, ClientResult, Part, Text, Tool, text_of
from famulus.llm.protocol import ChatMessage, Enclosure, ToolCall

CHARACTERS_PER_TOKEN = 4
"""A common estimate for prose; the provider's own count is what usage shows."""
MOST_CALLS = 16
"""Of one answer the last so many are told."""
ARGUMENTS, RESULT = 1_000, 1_000
"""Characters."""
CUT = " … [cut: call the tool again for the rest]"
TAKEN_BACK = "[The person has taken this back since.] "
Said = tuple[str, tuple[Part, ...]]
"""A role and what was said in it."""
Turn = Sequence[ChatMessage]
"""What one stored message is told as."""
_object = msgspec.json.Decoder(dict[str, object]).decode


@dataclass(frozen=True, slots=True)
class Enclosed:
    """One file that came with a message, as a model gets it: words, or the file itself."""

    words: str = ""
    file: Enclosure | None = None


def turns_of(
    said: Sequence[Said], ids: Iterator[int] | None, files: Mapping[str, Enclosed] | None = None
) -> list[Turn]:
    """Each stored message, oldest first, with our own calls where there are numbers for their ids.

    `files` are what is given of attachments, by their ids.
    """
    answered = {part.call_id for _, parts in said for part in parts if isinstance(part, ClientResult)}
    called: set[str] = set()
    turns: list[Turn] = []
    for role, parts in said:
        if role == "user":
            turns.append(_asked(parts, called, files or {}))
        else:
            theirs = [part for part in parts if isinstance(part, ClientCall) and part.call_id in answered]
            called.update(call.call_id for call in theirs)
            turns.append(_answered(parts, theirs, ids))
    return turns


def _asked(parts: Sequence[Part], called: set[str], files: Mapping[str, Enclosed]) -> Turn:
    results = [part for part in parts if isinstance(part, ClientResult) and part.call_id in called]
    told = [ChatMessage("tool", each.output, tool_call_id=each.call_id) for each in results]
    given = [files.get(part.id, Enclosed()) for part in parts if isinstance(part, Attached)]
    text = "\n\n".join(filter(None, (*(each.words for each in given), text_of(tuple(parts)))))
    whole = tuple(each.file for each in given if each.file is not None)
    return [*told, ChatMessage("user", text, files=whole)] if text or whole else told


def _answered(parts: Sequence[Part], theirs: Sequence[ClientCall], ids: Iterator[int] | None) -> Turn:
    ours = [part for part in parts if isinstance(part, Tool)][-MOST_CALLS:] if ids is not None else []
    messages: list[ChatMessage] = []
    said = ""
    for part in parts:
        if isinstance(part, Text):
            said += part.text
        elif isinstance(part, Tool) and ids is not None and part in ours:
            call = ToolCall(f"past{next(ids):05}", part.name, _arguments(part.arguments))
            messages.append(ChatMessage("assistant", said, tool_calls=(call,)))
            messages.append(ChatMessage("tool", _result(part), tool_call_id=call.id))
            said = ""
    last = tuple(ToolCall(call.call_id, call.name, call.arguments) for call in theirs)
    return [*messages, *_words(said, last)]


def within_budget(turns: Sequence[Turn], tokens: int) -> list[ChatMessage]:
    """The newest turns that fit the budget, oldest first; the last one always stays.

    One that does not fit with our calls is told in words alone. A program's result never stands without its call, so
    the turn before it stays as well.
    """
    kept: list[Turn] = []
    left = tokens * CHARACTERS_PER_TOKEN
    for turn in reversed(turns):
        told, size = turn, _size(turn)
        if kept and size > left:
            told = _in_words(turn)
            size = _size(told)
        left -= size
        if left < 0 and kept and not _is_result(kept[-1]):
            break
        kept.append(told)
    return [message for turn in reversed(kept) for message in turn]


def _is_result(turn: Turn) -> bool:
    return bool(turn) and turn[0].role == "tool"


def _in_words(turn: Turn) -> Turn:
    """Without the calls that were made here; a program's own stays, for the next turn answers it."""
    if _is_result(turn) or not any(message.role == "tool" for message in turn):
        return turn
    return _words("".join(message.text for message in turn if message.role != "tool"), turn[-1].tool_calls)


def _words(text: str, calls: tuple[ToolCall, ...]) -> Turn:
    return [ChatMessage("assistant", text, tool_calls=calls)] if text or calls else []


def _size(turn: Turn) -> int:
    size = 0  # a sum of sums takes twice as long, and a turn does this for each message of its past
    for message in turn:
        size += len(message.text)
        for call in message.tool_calls:
            size += len(call.name) + len(call.arguments)
    return size


def _arguments(text: str) -> str:
    """Arguments as every server takes them: an object, and a short one."""
    if len(text) > ARGUMENTS:
        return msgspec.json.encode({"cut": text[:ARGUMENTS]}).decode()
    try:
        _object(text)
    except (msgspec.DecodeError, RecursionError):
        return "{}"
    return text


def _result(part: Tool) -> str:
    result = part.result or part.status
    shown = result if len(result) <= RESULT else result[:RESULT] + CUT
    return TAKEN_BACK + shown if part.undone else shown
