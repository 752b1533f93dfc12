"""What the readers of all wires have in common: the short way for packets that differ in nothing but their text."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from famulus.llm.anthropic_stream import MessageReader
from famulus.llm.errors import ModelNonsense
from famulus.llm.openai_stream import AnswerReader
from famulus.llm.protocol import Item, TextDelta, Usage
from famulus.llm.reader import MAX_TOTAL, Reader
from famulus.llm.responses_stream import ResponseReader
from tests.support.fake_provider import DONE

Say = Callable[[object], bytes]


def chat(text: object, **more: object) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return (
        b"data: "
        + json.dumps({"id": "x", "choices": [choice], **more}, ensure_ascii=False).encode()
        + b"\n\n"
    )


def message(text: object) -> bytes:
    delta = {"type": "text_delta", "text": text}
    said = {"type": "content_block_delta", "index": 0, "delta": delta}
    return b"event: content_block_delta\ndata: " + json.dumps(said, ensure_ascii=False).encode() + b"\n\n"


def response(text: object) -> bytes:
    said = {"type": "response.output_text.delta", "item_id": "m", "delta": text}
    return (
        b"event: response.output_text.delta\ndata: " + json.dumps(said, ensure_ascii=False).encode() + b"\n\n"
    )


WIRES = [
    pytest.param(AnswerReader, chat, id="chat"),
    pytest.param(MessageReader, message, id="messages"),
    pytest.param(ResponseReader, response, id="responses"),
]


def made(kind: Callable[..., Reader], tries: int | None = None) -> Reader:
    """A reader, perhaps one that decodes everything."""
    reader = kind(model="fake", secret=None)
    reader._tries = reader._tries if tries is None else tries
    return reader


def fed(reader: Reader, packets: list[bytes]) -> list[Item]:
    return [item for packet in packets for item in reader.feed(packet)]


def counting(kind: type[Reader], decoded: list[bytes]) -> type[Reader]:
    """A kind of reader that also notes what it decodes."""

    def event(self: Reader, payload: bytes, items: list[Item]) -> None:
        decoded.append(payload)
        kind._event(self, payload, items)

    return type("Counting", (kind,), {"_event": event})


@pytest.mark.parametrize(("kind", "say"), WIRES)
def test_text_is_decoded_until_its_place_is_known(kind: type[Reader], say: Say):
    decoded: list[bytes] = []
    reader = made(counting(kind, decoded))
    texts = ["Grüße", " an", " die", " 世界"]
    assert fed(reader, [say(text) for text in texts]) == [TextDelta(text) for text in texts]
    assert len(decoded) == 1


@pytest.mark.parametrize(("kind", "say"), WIRES)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2),
    first=st.text("ab", min_size=1),
)
def test_the_short_way_finds_what_decoding_finds(kind: type[Reader], say: Say, texts: list[str], first: str):
    """Quotes, backslashes, line breaks and texts that stand elsewhere in the event as well."""
    packets = [say(text) for text in [first, *texts, "x", "id", "delta", '","role":"y', "\\"]]
    short, long = made(kind), made(kind, tries=0)
    assert fed(short, packets) == fed(long, packets)


@pytest.mark.parametrize(
    "packets",
    [
        [chat("x"), chat("y")],  # the text is the id as well
        [chat("a", usage={"prompt_tokens": 1, "completion_tokens": n}) for n in (1, 2)],
        [chat("a", obfuscation=noise) for noise in ("q", "rs", "tuv")],
        [chat("a").replace(b'"a"', b'"\\u0061"'), chat("b")],
        [chat("a").replace(b"null", b'"stop"'), chat("b")],
        [chat("a"), chat("b")[:40], chat("b")[40:], chat("c")],
        [chat("a"), chat("b") + chat("c"), chat("d")],
        [chat("a"), chat("b").replace(b'"b"', b'"\xff"'), chat("c")],
    ],
)
def test_events_that_say_more_are_decoded(packets: list[bytes]):
    short, long = made(AnswerReader), made(AnswerReader, tries=0)
    assert fed(short, packets) == fed(long, packets)
    assert (short.finish_reason, short._usage) == (long.finish_reason, long._usage)


def test_a_count_of_tokens_with_every_piece_is_the_last_one():
    reader = made(AnswerReader)
    fed(reader, [chat("a", usage={"prompt_tokens": 1, "completion_tokens": n}) for n in (1, 2, 3)])
    fed(reader, [DONE])
    assert Usage(1, 3) in reader.finish()


def test_the_short_way_has_an_end_too():
    reader = made(AnswerReader)
    packet = chat("x" * 500_000)
    with pytest.raises(ModelNonsense):
        fed(reader, [packet] * (MAX_TOTAL // len(packet) + 1))
