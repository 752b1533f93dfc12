"""Asking a model in a test: one question in, all items out."""

from contextlib import aclosing

from famulus.llm.protocol import ChatMessage, Item, Model, Request, TextDelta


def question(text: str = "What is a node?") -> Request:
    """A request with one user message."""
    return Request((ChatMessage("user", text),))


async def items_of(model: Model, request: Request | None = None) -> list[Item]:
    """Everything the model says."""
    async with aclosing(model.stream(request or question())) as stream:
        return [item async for item in stream]


def text_of(items: list[Item]) -> str:
    """The answer's text."""
    return "".join(item.text for item in items if isinstance(item, TextDelta))
