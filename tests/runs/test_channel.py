"""The live tail: what a follower gets from it, and when it has to ask the journal."""

import asyncio

import pytest

from famulus.runs.channel import KEPT, Channel
from famulus.runs.events import START, EventId, TextDelta


def spoken(count: int, epoch: int = 1) -> Channel:
    channel = Channel(epoch)
    for n in range(1, count + 1):
        channel.publish(TextDelta(str(n)))
    return channel


def numbers(channel: Channel, after: EventId) -> list[int] | None:
    entries = channel.since(after)
    return None if entries is None else [entry.id.n for entry in entries]


@pytest.mark.parametrize(
    ("after", "expected"),
    [(START, [1, 2, 3]), (EventId(1, 0), [1, 2, 3]), (EventId(1, 2), [3]), (EventId(1, 3), [])],
)
def test_since(after: EventId, expected: list[int]) -> None:
    assert numbers(spoken(3), after) == expected


def test_another_epoch_is_the_journals() -> None:
    assert numbers(spoken(3, epoch=2), EventId(1, 7)) is None
    assert numbers(spoken(3, epoch=2), START) is None
    assert numbers(spoken(3, epoch=1), EventId(2, 1)) is None


def test_what_is_not_journalled_is_never_forgotten() -> None:
    channel = spoken(100)
    channel.trim(10)

    assert numbers(channel, EventId(1, 10)) == list(range(11, 101))
    assert numbers(channel, EventId(1, 9)) is None


def test_the_newest_stay_though_they_are_journalled() -> None:
    channel = spoken(100)
    channel.trim(100)

    assert numbers(channel, EventId(1, 100 - KEPT)) == list(range(101 - KEPT, 101))
    assert numbers(channel, EventId(1, 99 - KEPT)) is None
    channel.trim(100)
    assert channel.next_n == 101


def test_trimming_a_short_channel_keeps_all() -> None:
    channel = spoken(5)
    channel.trim(5)

    assert numbers(channel, START) == [1, 2, 3, 4, 5]


async def test_waiting_ends_with_news_a_nudge_or_the_end() -> None:
    channel = Channel(1)
    for wake in (lambda: channel.publish(TextDelta("x")), channel.nudge, channel.end):
        waiting = [asyncio.ensure_future(channel.wait()) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(each.done() for each in waiting)
        wake()
        await asyncio.wait_for(asyncio.gather(*waiting), 1)
    assert channel.ended


async def test_a_waiter_that_left_does_no_harm() -> None:
    channel = Channel(1)
    waiting = asyncio.ensure_future(channel.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    channel.publish(TextDelta("x"))

    assert numbers(channel, START) == [1]
