"""What was said in a thread, as messages for a model. Pure.

Calls that a program carries out itself stand in its thread as parts: the call in the answer that ends with it, its
result in the message that follows. Servers of models refuse one without the other, so what has no other half is left
out.
"""

from collections.abc import Sequence

from famulus.conversations.parts import ClientCall, ClientResult, Part, text_of
from famulus.llm.protocol import ChatMessage, ToolCall

CHARACTERS_PER_TOKEN = 4
"""A common estimate for prose; the provider's own count is what usage shows."""
Turn = tuple[str, tuple[Part, ...]]
"""A role and what was said in it."""


def messages_of(turns: Sequence[Turn]) -> list[list[ChatMessage]]:
    """The messages of each turn, oldest first; of a turn that says nothing there are none."""
    answered = {part.call_id for _, parts in turns for part in parts if isinstance(part, ClientResult)}
    called: set[str] = set()
    told: list[list[ChatMessage]] = []
    for role, parts in turns:
        text = text_of(parts)
        if role == "assistant":
            calls = [part for part in parts if isinstance(part, ClientCall) and part.call_id in answered]
            called.update(call.call_id for call in calls)
            told.append(_answer(text, calls))
        else:
            results = [part for part in parts if isinstance(part, ClientResult) and part.call_id in called]
            told.append([ChatMessage("tool", each.output, tool_call_id=each.call_id) for each in results])
            if text:
                told[-1].append(ChatMessage("user", text))
    return told


def _answer(text: str, calls: Sequence[ClientCall]) -> list[ChatMessage]:
    made = tuple(ToolCall(call.call_id, call.name, call.arguments) for call in calls)
    return [ChatMessage("assistant", text, tool_calls=made)] if text or made else []


def within_budget(turns: Sequence[Sequence[ChatMessage]], tokens: int) -> list[ChatMessage]:
    """The messages of the newest turns that fit the budget, oldest first; the last turn always stays.

    A result never stands without its call, so where the last turn is one, the turn before it stays as well.
    """
    kept: list[Sequence[ChatMessage]] = []
    left = tokens * CHARACTERS_PER_TOKEN
    for turn in reversed(turns):
        left -= sum(_size(message) for message in turn)
        if left < 0 and kept and not _is_result(kept[-1]):
            break
        kept.append(turn)
    return [message for turn in reversed(kept) for message in turn]


def _size(message: ChatMessage) -> int:
    return len(message.text) + sum(len(call.arguments) for call in message.tool_calls)


def _is_result(turn: Sequence[ChatMessage]) -> bool:
    return bool(turn) and turn[0].role == "tool"
