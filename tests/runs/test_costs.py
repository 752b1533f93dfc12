"""What a run costs: kept with it, over its attempts, and a limit of it."""

import pytest

from famulus.runs.events import RunCompleted
from tests.runs.conftest import Instance, Open, execute, tags
from tests.runs.test_acting import Notes
from tests.runs.test_approvals import Wiper, cards, say
from tests.support.fake_provider import FakeProvider

PRICES = {"compatible:fake": {"input": 1_000, "output": 2_000}}
"""A tenth of a cent for a token read, and twice that for one written."""


async def cost_of(instance: Instance, run_id: str) -> float | None:
    return (await instance.parts.runs.get(instance.person, run_id)).usage.cost_usd


async def test_it_is_kept_with_the_run_and_told_at_its_end(opened: Open, provider: FakeProvider) -> None:
    provider.reply("A node.", usage_tokens=(12, 34))
    async with opened(model_prices=PRICES) as instance:
        started = await instance.ask()
        entries = await instance.follow(started.run.id)
        kept = await execute(instance.database, "SELECT cost FROM runs")

    end = entries[-1].event
    assert isinstance(end, RunCompleted)
    assert end.usage.cost_usd == 0.08
    assert kept[0][0] == 80_000


@pytest.mark.parametrize(("prices", "usage"), [({}, (12, 34)), (PRICES, None)])
async def test_what_is_not_known_is_not_nothing(
    opened: Open, provider: FakeProvider, prices: object, usage: tuple[int, int] | None
) -> None:
    provider.reply("A node.", usage_tokens=usage)
    async with opened(model_prices=prices) as instance:
        started = await instance.ask()
        await instance.follow(started.run.id)
        assert await cost_of(instance, started.run.id) is None


async def test_a_run_that_waited_is_counted_on(opened: Open, provider: FakeProvider) -> None:
    provider.reply("", tool_calls=[("wipe", {"text": "all"})], usage_tokens=(10, 5))
    provider.reply("Wiped.", usage_tokens=(20, 5))
    async with opened(Wiper().wipe(), model_prices=PRICES) as instance:
        started = await instance.ask("Wipe it.")
        entries = await instance.follow(started.run.id)
        before = (await instance.parts.runs.get(instance.person, started.run.id)).usage
        await say(instance, cards(entries)[-1])
        await instance.follow(started.run.id, entries[-1].id)
        after = (await instance.parts.runs.get(instance.person, started.run.id)).usage

    assert (before.input_tokens, before.output_tokens, before.cost_usd) == (10, 5, 0.02)
    assert (after.input_tokens, after.output_tokens, after.cost_usd) == (30, 10, 0.05)


async def test_what_a_broken_step_has_cost_nobody_knows(opened: Open, provider: FakeProvider) -> None:
    provider.reply("", tool_calls=[("note", {"text": "milk"})], usage_tokens=(10, 5))
    provider.endless()
    provider.reply("Noted.", usage_tokens=(20, 5))
    async with opened(Notes().tool(), model_prices=PRICES) as first:
        started = await first.ask("Note milk.")
        await first.until(started.run.id, "text.delta")
    async with opened(Notes().tool(), model_prices=PRICES) as second:
        await second.follow(started.run.id)
        usage = (await second.parts.runs.get(second.person, started.run.id)).usage

    assert (usage.input_tokens, usage.output_tokens, usage.cost_usd) == (30, 10, None)


async def test_a_limit_of_cost_ends_the_answer_in_words(opened: Open, provider: FakeProvider) -> None:
    provider.reply("First: ", tool_calls=[("note", {"text": "milk"})], usage_tokens=(10, 5))
    async with opened(Notes().tool(), model_prices=PRICES) as instance:
        started = await instance.ask("Note milk.", max_run_cost=0.01)
        entries = await instance.follow(started.run.id)
        run = await instance.parts.runs.get(instance.person, started.run.id)

    assert "tool.called" not in tags(entries)
    assert run.error is not None
    assert (run.status, run.error.code, run.usage.cost_usd) == ("failed", "cost_limit", 0.02)
    assert run.answer is not None
    assert run.answer.text == "First: "
