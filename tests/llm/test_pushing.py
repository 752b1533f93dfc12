"""Text that passes a reader by: pushed where it arrives, in order with all that is yielded."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

import pytest

from famulus.llm.errors import ModelNonsense, ModelStreamCut, ModelTimeout
from famulus.llm.limits import Limits
from famulus.llm.openai_chat import OpenAIChatModel
from famulus.llm.protocol import End, Item, ReasoningDelta, Sealed, TextDelta, ToolCallReady, Usage
from famulus.llm.retry import RetryPolicy
from tests.llm.streams import question, text_of
from tests.support.fake_provider import CUT, DONE, HANG, FakeProvider, answer_events, delta, usage

PAUSE = 0.02
"""Seconds between two packets, so that each comes while its reader waits."""


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as running:
        yield running


class Asked:
    """One answer, with what was pushed told apart from what was yielded."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.pushed: list[Item] = []
        self.tasks: set[asyncio.Task[None] | None] = set()

    def push(self, texts: Sequence[str]) -> None:
        items = [TextDelta(text) for text in texts]
        self.items += items
        self.pushed += items
        self.tasks.add(asyncio.current_task())

    async def read(self, provider: FakeProvider, limits: Limits | None = None, pause: float = 0) -> None:
        model = OpenAIChatModel(
            kind="compatible",
            name="m",
            base_url=provider.base_url,
            api_key=None,
            limits=limits,
            retry=RetryPolicy(attempts=1),
        )
        try:
            async with aclosing(model.stream(question(), self.push)) as stream:
                async for items in stream:
                    self.items += items
                    await asyncio.sleep(pause)
        finally:
            await model.close()


async def test_only_the_first_text_wakes_the_reader(provider: FakeProvider) -> None:
    asked = Asked()
    provider.reply("one two three four", pace=PAUSE)
    await asked.read(provider)

    assert text_of(asked.items) == "one two three four"
    assert text_of(asked.pushed) == " two three four"
    assert asked.tasks == {None}, "from no task at all"
    assert isinstance(asked.items[-1], End)


async def test_what_is_not_text_is_yielded_in_its_place(provider: FakeProvider) -> None:
    asked = Asked()
    thought, call = delta(reasoning_content="Hm."), [("look", "{}")]
    provider.raw(
        delta(content="a"), PAUSE, delta(content="b"), PAUSE, thought, PAUSE, delta(content="c"), PAUSE,
        *answer_events("d", tool_calls=call), usage(1, 2), DONE,
    )  # fmt: skip
    await asked.read(provider)

    kinds = [type(item) for item in asked.items]
    assert kinds == [TextDelta] * 2 + [ReasoningDelta] + [TextDelta] * 2 + [Sealed, ToolCallReady, Usage, End]
    assert text_of(asked.items) == "abcd"
    assert all(isinstance(item, TextDelta) for item in asked.pushed)


async def test_a_reader_at_work_is_not_passed_by(provider: FakeProvider) -> None:
    asked = Asked()
    provider.reply("one two three four five", pace=PAUSE)
    await asked.read(provider, pause=PAUSE * 2.5)

    assert text_of(asked.items) == "one two three four five"


@pytest.mark.parametrize(
    ("end", "error", "limits"),
    [(CUT, ModelStreamCut, None), (HANG, ModelTimeout, Limits(idle=0.2))],
)
async def test_trouble_after_pushing_is_the_readers(
    provider: FakeProvider, end: object, error: type[Exception], limits: Limits | None
) -> None:
    asked = Asked()
    provider.raw(delta(content="a"), PAUSE, delta(content="b"), PAUSE, end)
    with pytest.raises(error):
        await asked.read(provider, limits)

    assert text_of(asked.items) == "ab"


async def test_silence_counts_from_the_last_text(provider: FakeProvider) -> None:
    asked = Asked()
    provider.reply("one two three four five six", pace=0.1)
    await asked.read(provider, Limits(idle=0.3))

    assert text_of(asked.items) == "one two three four five six"


async def test_nonsense_after_pushing_is_the_readers(provider: FakeProvider) -> None:
    asked = Asked()
    provider.raw(delta(content="a"), PAUSE, delta(content="b"), PAUSE, b"data: {not json\n\n", PAUSE, HANG)
    with pytest.raises(ModelNonsense):
        await asked.read(provider)

    assert text_of(asked.items) == "ab"
