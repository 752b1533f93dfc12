"""Asking a model in a test: one question in, all items out."""

from collections.abc import Sequence
from contextlib import aclosing

from famulus.llm.protocol import ChatMessage, Item, Model, Request, TextDelta


def question(text: str = "What is a node?") -> Request:
    """A request with one user message."""
    return Request((ChatMessage("user", text),))


async def items_of(model: Model, request: Request | None = None) -> list[Item]:
    """Everything the model says."""
    async with aclosing(model.stream(request or question())) as stream:
        return [item async for items in stream for item in items]


def text_of(items: Sequence[Item]) -> str:
    """The answer's text."""
    return "".join(item.text for item in items if isinstance(item, TextDelta))
