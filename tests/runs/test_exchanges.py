"""A first message and the thread that it begins: both or neither, and once per key."""

import asyncio
from collections.abc import Sequence

import pytest

from famulus.conversations.beginning import Beginning, begin_thread
from famulus.conversations.errors import AttachmentNotFound
from famulus.conversations.parts import Attached
from famulus.runs.ask import Ask
from famulus.runs.errors import KeyReused, ServerBusy
from tests.runs.conftest import Instance, Open, execute, tags
from tests.support.fake_provider import HANG, FakeProvider, delta

LOST = Attached("att_gone", "notes.txt", "text/plain", 5)


async def threads(instance: Instance) -> Sequence[Sequence[object]]:
    """Every thread there is, with its newest position and its title."""
    return await execute(instance.database, "SELECT id, last_position, title, titled_by FROM threads")


async def test_the_first_message_begins_its_thread(instance: Instance) -> None:
    card, started = await instance.parts.exchanges.begin(instance.person, Ask("", "Hello there"), Beginning())

    events = await instance.follow(started.run.id)
    assert card.thread.id == started.run.thread_id
    assert (card.thread.last_position, card.thread.title) == (0, None), "as it was before the message"
    assert tags(events)[:2] == ["run.started", "thread.titled"]
    assert [message.position for message in await instance.messages(card.thread.id)] == [1, 2]
    assert await threads(instance) == [(card.thread.id, 2, "Hello there", "words")]


async def test_a_title_of_its_own_stays(instance: Instance) -> None:
    where = Beginning(title="Of nodes")
    card, started = await instance.parts.exchanges.begin(instance.person, Ask("", "Hello"), where)

    assert "thread.titled" not in tags(await instance.follow(started.run.id))
    assert await threads(instance) == [(card.thread.id, 2, "Of nodes", "person")]


async def test_a_message_that_is_refused_begins_no_thread(opened: Open, provider: FakeProvider) -> None:
    provider.raw(delta(content="Wait"), HANG)
    async with opened(max_live_runs=1) as instance:
        begin = instance.parts.exchanges.begin
        with pytest.raises(AttachmentNotFound):
            await begin(instance.person, Ask("", "Read this", attachments=(LOST,)), Beginning())
        assert await threads(instance) == []

        await begin(instance.person, Ask("", "Hello"), Beginning())
        with pytest.raises(ServerBusy):
            await begin(instance.person, Ask("", "And hello"), Beginning())
        assert len(await threads(instance)) == 1


async def test_a_refused_message_takes_no_other_with_it(instance: Instance) -> None:
    begin = instance.parts.exchanges.begin
    refused = [begin(instance.person, Ask("", "Read", attachments=(LOST,)), Beginning()) for _ in range(3)]
    good = [begin(instance.person, Ask("", f"Hello {n}"), Beginning()) for n in range(20)]

    outcomes = await asyncio.gather(*good[:10], *refused, *good[10:], return_exceptions=True)

    failed = [each for each in outcomes if isinstance(each, BaseException)]
    assert [type(each) for each in failed] == [AttachmentNotFound] * 3
    assert len(await threads(instance)) == 20


async def test_a_key_sent_from_everywhere_at_once_begins_one_thread(instance: Instance, opened: Open) -> None:
    async with opened() as other:
        began = await asyncio.gather(
            *(
                each.parts.exchanges.begin(each.person, Ask("", "Hello", key="k"), Beginning())
                for _ in range(20)
                for each in (instance, other)
            )
        )
        assert len({(card.thread.id, started.run.id) for card, started in began}) == 1
        assert sum(not started.replayed for _, started in began) == 1
        await other.follow(began[0][1].run.id)
        assert len(await threads(instance)) == 1
        assert len(await instance.messages(began[0][0].thread.id)) == 2


async def test_a_key_for_another_first_message_is_refused(instance: Instance) -> None:
    await instance.parts.exchanges.begin(instance.person, Ask("", "Hello", key="k"), Beginning())

    with pytest.raises(KeyReused):
        await instance.parts.exchanges.begin(instance.person, Ask("", "Hullo", key="k"), Beginning())
    assert len(await threads(instance)) == 1


async def test_empty_threads_begun_at_once_with_one_key_are_one(instance: Instance) -> None:
    how = Beginning(key="k")
    began = await asyncio.gather(*(begin_thread(instance.database, instance.person, how) for _ in range(20)))

    assert len({card.thread.id for card in began}) == 1
    assert len(await threads(instance)) == 1
