"""The answer loop: model, tools, model again, until there is an answer. A pure generator of events.

No database, no HTTP: whoever iterates decides what events mean before asking for the next. Text and citations come in
batches, as they come from the model; between two of them a model may push text: that goes to `show`. Tool calls go to
`Hand`, which carries them out, tells of them, and adds them to the draft.
"""

import re
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Protocol, assert_never

from msgspec.structs import replace

from famulus.conversations.parts import Citation, Cut, Part, Reasoning, Text
from famulus.conversations.parts import Tool as ToolPart
from famulus.llm.protocol import (
    ChatMessage,
    End,
    Item,
    Model,
    Price,
    Request,
    Sealed,
    ToolCall,
    ToolCallReady,
    ToolSpec,
    Usage,
)
from famulus.llm.protocol import ReasoningDelta as Thought
from famulus.llm.protocol import TextDelta as Piece
from famulus.runs.errors import CostLimit, TooCostly, ToolLimit
from famulus.runs.events import CitationAdded, Event, ReasoningDelta, TextDelta

MAX_STEPS = 12
"""Model calls in one answer."""
MOST_TOKENS = 400_000
"""Tokens, read and written, after which one answer begins no further step."""
MOST_THOUGHT = 100_000
"""Characters that one answer keeps of what its model thinks aloud; what comes after them nobody is told."""
MAX_ID, MAX_NAME = 150, 64
MICRO = Decimal(1_000_000)
"""Costs are kept in millionths of a US dollar."""
_MARK = re.compile(r"\[(\d{1,3})\]")
Show = Callable[[Sequence[Event]], None]
"""Takes events of text and citations that cannot wait for the iteration."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one answer may take; beyond it no further step is begun."""

    tokens: int = MOST_TOKENS
    """Read and written."""
    cost: float | None = None
    """US dollars. Where the price is not known, nothing is limited."""


def unpriced(_usage: Usage) -> Decimal | None:
    """The price of what has none that is known."""
    return None


@dataclass(slots=True)
class Draft:
    """The answer as it grows: the parts of finished steps, the text of the current one, what it cites and costs."""

    citable: dict[int, Citation]
    """Citations that the passages allow, by number."""
    parts: list[Part] = field(default_factory=list[Part])
    pieces: list[str] = field(default_factory=list[str])
    cited: list[Citation] = field(default_factory=list[Citation])
    input_tokens: int = 0
    output_tokens: int = 0
    price: Price = unpriced
    cost: Decimal = Decimal(0)
    """US dollars, as far as known."""
    cost_known: bool = True
    """Whether that is all."""
    cut: Cut | None = None
    """Why its last step stopped before its end, if it did."""
    aloud: bool = True
    """Whether people are shown what the model thinks."""
    thoughts: list[str] = field(default_factory=list[str])
    """What it is thinking, until it says or does something."""
    sealed: dict[str, list[Sealed]] = field(default_factory=dict[str, list[Sealed]])
    """What its model has thought before calls, by their ids, to be sent back to it. Kept here alone: an attempt that
    takes the answer up later goes on without."""
    _sealing: list[Sealed] = field(default_factory=list[Sealed])
    _said: int = 0
    _thought: int = 0
    _since: float = 0
    _tail: str = ""
    _told: bool = True

    def add(self, text: str) -> list[Citation]:
        """Take the next piece of text; returns the citations that it completes for the first time."""
        if self.thoughts:
            self._close_thoughts()
        self.pieces.append(text)
        if not self.citable or ("]" not in text and "[" not in text and not self._tail):
            return []
        seen = self._tail + text
        opened = seen.rfind("[")
        self._tail = seen[opened:] if opened > seen.rfind("]") and len(seen) - opened < 8 else ""
        known = {citation.number for citation in self.cited}
        numbers = dict.fromkeys(int(number) for number in _MARK.findall(seen))
        fresh = [self.citable[n] for n in numbers if n in self.citable and n not in known]
        self.cited += fresh
        return fresh

    def think(self, text: str) -> bool:
        """Take the next piece of what is thought; False where people are not to be told of it."""
        if not self.aloud or not text or self._thought + len(text) > MOST_THOUGHT:
            return False
        if not self.thoughts:
            self.close_text()
            self._since = time.monotonic()
        self._thought += len(text)
        self.thoughts.append(text)
        return True

    def _close_thoughts(self) -> None:
        self.parts.append(Reasoning("".join(self.thoughts), round(time.monotonic() - self._since, 1)))
        self.thoughts.clear()

    def begin_step(self) -> None:
        """Ask the model once more: until its usage is told, nobody knows what that costs."""
        self._told, self.cost_known = self.cost_known, False
        self.cut = None
        self._sealing.clear()
        self._said = len(self.text())

    def seal(self, sealed: Sealed) -> None:
        """Take what the model has thought in this step, as it is sent back to it."""
        self._sealing.append(replace(sealed, text=len(self.text()) - self._said))

    def call(self, calls: Sequence[ToolCall]) -> None:
        """The calls that the step ends with; what was thought after the last of them is not sent back."""
        for sealed in self._sealing:
            if sealed.calls < len(calls):
                self.sealed.setdefault(calls[sealed.calls].id, []).append(sealed)

    def spend(self, usage: Usage) -> None:
        """Count what the model has taken for the step."""
        self.input_tokens += usage.input_tokens
        self.output_tokens += usage.output_tokens
        cost = self.price(usage)
        self.cost += cost or 0
        self.cost_known = self._told and cost is not None

    @property
    def microdollars(self) -> int | None:
        """What the answer has cost, in millionths of a US dollar; None where that is not known."""
        return int((self.cost * MICRO).to_integral_value(ROUND_HALF_UP)) if self.cost_known else None

    @property
    def spent(self) -> tuple[int, int, int | None]:
        """Tokens read, tokens written, and their cost, as they are kept."""
        return self.input_tokens, self.output_tokens, self.microdollars

    def take_up(self, input_tokens: int, output_tokens: int, microdollars: int | None) -> None:
        """Go on counting where an earlier attempt has stopped."""
        self.input_tokens, self.output_tokens = input_tokens, output_tokens
        self.cost, self.cost_known = (microdollars or 0) / MICRO, microdollars is not None

    def close_text(self) -> None:
        """Make a part of the text so far, or of the thoughts."""
        if self.thoughts:
            self._close_thoughts()
        if text := "".join(self.pieces):
            self.parts.append(Text(text))
        self.pieces.clear()
        self._tail = ""

    def text(self) -> str:
        """All text so far, as a reader has it on the screen."""
        return "".join([*(part.text for part in self.parts if isinstance(part, Text)), *self.pieces])

    def finished_parts(self) -> tuple[Part, ...]:
        """The answer's parts for keeping: text and tools in order, then what is cited."""
        self.close_text()
        return (*self.parts, *self.cited, *([self.cut] if self.cut else []))


def continue_messages(draft: Draft) -> list[ChatMessage]:
    """The model's own earlier steps of this answer, as messages: what it said, called and got."""
    messages: list[ChatMessage] = []
    said = ""
    for part in draft.parts:
        match part:
            case Text(text=text):
                said += text
            case ToolPart(call_id=id, name=name, arguments=arguments, result=result):
                call = ToolCall(id, name, arguments)
                sealed = tuple(draft.sealed.get(id, ()))
                messages.append(ChatMessage("assistant", said, tool_calls=(call,), sealed=sealed))
                messages.append(ChatMessage("tool", result or "", tool_call_id=id))
                said = ""
            case _:
                pass
    return messages


class Hand(Protocol):
    """Carries tool calls out."""

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools that the model is told of in its next step."""
        ...

    async def use(self, calls: Sequence[ToolCall]) -> bool:
        """Carry out the calls of one step and add each, with its result, to the draft; may put the answer aside.

        True when the answer ends here, with calls that whoever asks carries out.
        """
        ...


async def answer(
    model: Model, request: Request, draft: Draft, hand: Hand, show: Show, *, limits: Limits = Limits()
) -> AsyncGenerator[Sequence[Event], None]:
    """The text of one answer and what it cites; `draft` holds what has come of it at any moment.

    Starts after the steps that `draft.parts` already has. Raises a `ModelError`, `ToolLimit`, `TooCostly` or
    `CostLimit`.
    """
    asked = request.messages
    for _ in range(MAX_STEPS):
        request = replace(request, messages=(*asked, *continue_messages(draft)), tools=hand.specs)
        calls: list[ToolCall] = []
        draft.begin_step()
        push = partial(_push, draft, show)
        async with aclosing(model.stream(request, push)) as batches:
            async for items in batches:
                if events := _take(items, draft, calls):
                    yield events
        if not calls:
            return
        _check(draft, limits)
        draft.close_text()
        apart = _told_apart(calls, draft)
        draft.call(apart)
        if await hand.use(apart):
            return
    raise ToolLimit()


def _check(draft: Draft, limits: Limits) -> None:
    if draft.input_tokens + draft.output_tokens > limits.tokens:
        raise TooCostly()
    if limits.cost is not None and draft.cost > Decimal(str(limits.cost)):
        raise CostLimit()


def _told_apart(calls: Sequence[ToolCall], draft: Draft) -> list[ToolCall]:
    """The calls, each with an id that no other of this answer has, whatever the model's server gave them."""
    taken = {part.call_id for part in draft.parts if isinstance(part, ToolPart)}
    told: list[ToolCall] = []
    for call in calls:
        id, n = call.id[:MAX_ID] or "call", 1
        while id in taken:
            n += 1
            id = f"{call.id[:MAX_ID] or 'call'}_{n}"
        taken.add(id)
        told.append(ToolCall(id, call.name[:MAX_NAME], call.arguments))
    return told


def _push(draft: Draft, show: Show, texts: Sequence[str]) -> None:
    show(
        _said(texts[0], draft)
        if len(texts) == 1
        else [event for text in texts for event in _said(text, draft)]
    )


def _said(text: str, draft: Draft) -> list[Event]:
    """Add a piece of text to the draft; it and what it cites for the first time, as events."""
    fresh = draft.add(text)
    return [TextDelta(text), *map(CitationAdded, fresh)] if fresh else [TextDelta(text)]


def _take(items: Sequence[Item], draft: Draft, calls: list[ToolCall]) -> list[Event]:
    """Add what the model has said to the draft and the calls; the events of it."""
    events: list[Event] = []
    for item in items:
        match item:
            case Piece(text=text):
                events += _said(text, draft)
            case Thought(text=text):
                if draft.think(text):
                    events.append(ReasoningDelta(text))
            case Sealed():
                draft.seal(item)
            case End(reason=reason):
                draft.cut = Cut(reason) if reason in ("length", "content_filter") else None
            case ToolCallReady(call=call):
                calls.append(call)
            case Usage():
                draft.spend(item)
            case _:
                assert_never(item)
    return events
