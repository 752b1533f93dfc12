"""The reader of Chat Completions answers, byte by byte, without a network."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from famulus.llm.errors import (
    ModelContextTooLong,
    ModelNonsense,
    ModelRateLimited,
    ModelRequestRefused,
    ModelStreamCut,
    ModelUnavailable,
)
from famulus.llm.openai_stream import AnswerReader
from famulus.llm.protocol import End, Item, ReasoningDelta, Sealed, TextDelta, ToolCall, ToolCallReady, Usage
from famulus.llm.reader import MAX_LINE, MAX_TOTAL
from tests.llm.streams import text_of
from tests.support.fake_provider import DONE, answer_events, delta, event, usage

STOP = delta(finish="stop")


def read(*packets: bytes) -> list[Item]:
    reader = AnswerReader(model="fake", secret="sk-secret-key")
    items = [item for packet in packets for item in reader.feed(packet)]
    return items + reader.finish()


def calls(items: list[Item]) -> list[tuple[str, str]]:
    return [(item.call.name, item.call.arguments) for item in items if isinstance(item, ToolCallReady)]


def call_piece(**fields: object) -> bytes:
    return delta(tool_calls=[fields])


ANSWER = b"".join([*answer_events("Grüße, 世界 🤖!"), usage(3, 4), DONE])


def test_a_whole_answer_in_one_packet():
    items = read(ANSWER)
    assert text_of(items) == "Grüße, 世界 🤖!"
    assert items[-2:] == [Usage(3, 4), End("stop")]


def test_split_at_every_byte():
    assert read(*(ANSWER[i : i + 1] for i in range(len(ANSWER)))) == read(ANSWER)
    for at in range(1, len(ANSWER)):
        assert read(ANSWER[:at], ANSWER[at:]) == read(ANSWER)


@given(st.lists(st.text(min_size=1)), st.data())
def test_any_text_survives_any_packets(texts: list[str], data: st.DataObject):
    stream = b"".join([*(delta(content=text) for text in texts), STOP, DONE])
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)))
    packets = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert text_of(read(*packets)) == "".join(texts).replace("\0", "�")


@pytest.mark.parametrize(
    "stream",
    [
        ANSWER.replace(b"\n", b"\r\n"),
        ANSWER.replace(b"data: ", b"data:"),
        ANSWER.replace(b"data: ", b": keep-alive\n\nevent: message\nid: 7\ndata: "),
        b"\xef\xbb\xbf" + ANSWER,
        b"\n\n \n" + ANSWER,
        ANSWER.removesuffix(DONE),
        ANSWER.removesuffix(b"\n\n"),
        ANSWER.replace(DONE, b"data: \n\n" + DONE),
    ],
    ids=[
        "crlf",
        "no space",
        "comments",
        "byte order mark",
        "blank",
        "no done",
        "no last newline",
        "empty data",
    ],
)
def test_spellings_of_the_same_stream(stream: bytes):
    assert read(stream) == read(ANSWER)


def test_nul_and_broken_text_are_replaced():
    broken = delta(content="a?b").replace(b"?", b"\xff")
    half = delta(content="c?d").replace(b"?", b"\\ud83d")
    assert text_of(read(delta(content="x\0y"), broken, half, STOP)) == "x�ya�bc�d"


def test_reasoning_is_apart_from_the_answer():
    items = read(delta(reasoning_content="Hm."), delta(reasoning="So."), delta(content="Yes."), STOP)
    assert items[:3] == [ReasoningDelta("Hm."), ReasoningDelta("So."), TextDelta("Yes.")]


def test_content_in_parts_and_refusals_are_text():
    parts = [{"type": "text", "text": "A"}, {"type": "thinking", "text": "no"}, {"type": "text", "text": "B"}]
    assert text_of(read(delta(content=parts), delta(content=None, refusal="C"), STOP)) == "ABC"


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("content_filter",) * 2,
    ],
)
def test_reasons(reason: str, end: str):
    assert read(delta(content="x"), delta(finish=reason), DONE)[-1] == End(end)


def test_done_without_a_reason_is_an_end():
    assert read(delta(content="x"), DONE)[-1] == End("stop")


def test_tool_calls_in_parallel_and_interleaved():
    items = read(
        call_piece(index=0, id="a", function={"name": "one", "arguments": ""}),
        call_piece(index=1, id="b", function={"name": "two", "arguments": '{"x"'}),
        call_piece(index=0, function={"arguments": '{"y": 1}'}),
        call_piece(index=1, id="", function={"name": "", "arguments": ": 2}"}),
        delta(finish="tool_calls"),
    )
    assert items == [
        ToolCallReady(ToolCall("a", "one", '{"y": 1}')),
        ToolCallReady(ToolCall("b", "two", '{"x": 2}')),
        End("tool_calls"),
    ]


@pytest.mark.parametrize(
    "pieces",
    [
        [{"index": 0, "id": "a"}, {"index": 0, "id": "b"}],
        [{"id": "a"}, {"id": "b"}],
        [{"index": 0}, {"index": 0}],
        [{}, {}],
        [{"index": None, "id": None}, {"index": None, "id": None}],
    ],
    ids=["same index", "no index", "no id", "neither", "nulls"],
)
def test_whole_calls_are_kept_apart(pieces: list[dict[str, object]]):
    heads = [
        {"function": {"name": "read", "arguments": '{"n": 1}'}, **pieces[0]},
        {"function": {"name": "read", "arguments": '{"n": 2}'}, **pieces[1]},
    ]
    apart = read(*(delta(tool_calls=[head]) for head in heads), STOP)
    together = read(delta(tool_calls=heads, content=None), STOP)
    assert calls(apart) == calls(together) == [("read", '{"n": 1}'), ("read", '{"n": 2}')]
    ids = [item.call.id for item in apart if isinstance(item, ToolCallReady)]
    assert all(ids)
    assert len(set(ids)) == 2
    assert apart[-1] == End("tool_calls")


@pytest.mark.parametrize("repeated", [{"name": "f"}, {"name": None}, {}])
@pytest.mark.parametrize("index", [{"index": 0}, {}])
def test_pieces_of_one_call(repeated: dict[str, object], index: dict[str, object]):
    items = read(
        call_piece(id="a", function={"name": "f", "arguments": '{"a": {}'}, **index),
        call_piece(function={"arguments": ', "b": 1', **repeated}, **index),
        call_piece(function={"arguments": "}", **repeated}, **index),
        STOP,
    )
    assert calls(items) == [("f", '{"a": {}, "b": 1}')]


def test_arguments_as_an_object_and_none_at_all():
    items = read(
        call_piece(index=0, id="a", function={"name": "f", "arguments": {"x": [1]}}),
        call_piece(index=1, id="b", function={"name": "g"}),
        STOP,
    )
    assert calls(items) == [("f", '{"x":[1]}'), ("g", "{}")]


def test_a_call_cut_for_its_length_is_left_out():
    cut = call_piece(index=0, id="a", function={"name": "f", "arguments": '{"x": '})
    assert read(cut, delta(finish="length")) == [End("length")]


def test_a_call_without_a_name_is_nonsense():
    with pytest.raises(ModelNonsense):
        read(call_piece(index=0, id="a", function={"arguments": "{}"}), STOP)


def test_usage_is_told_once():
    chunk = json.loads(delta(content="a")[6:]) | {"usage": {"prompt_tokens": 5, "completion_tokens": 1}}
    items = read(event(chunk), event(chunk), usage(5, 2), STOP)
    assert [item for item in items if isinstance(item, Usage)] == [Usage(5, 2)]


@pytest.mark.parametrize(
    ("details", "cached"), [(None, 0), ({}, 0), ({"cached_tokens": 4}, 4), ({"cached_tokens": 9}, 5)]
)
def test_what_the_provider_remembered_is_told(details: object, cached: int):
    counts = {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": details}
    items = read(delta(content="a"), event({"choices": [], "usage": counts}), STOP)
    assert [item for item in items if isinstance(item, Usage)] == [Usage(5, 2, cached)]


def test_a_json_body_instead_of_a_stream():
    message = {
        "content": "Hi",
        "reasoning_content": "Hm",
        "tool_calls": [{"id": "a", "function": {"name": "f"}}],
    }
    body = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1}}
    whole = json.dumps(body, indent=1).encode()
    expected: list[Item] = [
        ReasoningDelta("Hm"),
        TextDelta("Hi"),
        Sealed("chat:fake", b'{"reasoning_content":"Hm"}'),
        ToolCallReady(ToolCall("a", "f", "{}")),
        Usage(1, 0),
        End("tool_calls"),
    ]
    assert read(whole) == expected
    assert read(*(whole[i : i + 7] for i in range(0, len(whole), 7))) == expected


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"error": {"message": "busy", "code": 503}}, ModelUnavailable),
        ({"error": {"message": "slow down", "type": "rate_limit_error"}}, ModelRateLimited),
        ({"error": {"message": "no", "code": "invalid_request_error"}}, ModelRequestRefused),
        ({"error": {"message": "m", "code": "context_length_exceeded"}}, ModelContextTooLong),
        ({"error": "something broke"}, ModelUnavailable),
        ({"object": "error", "message": "bad value", "code": 400}, ModelRequestRefused),
        (
            {"error": {"message": "x", "code": 502}, "choices": [{"delta": {}, "finish_reason": "error"}]},
            ModelUnavailable,
        ),
    ],
)
def test_errors_inside_the_stream_or_as_a_body(said: object, error: type[Exception]):
    with pytest.raises(error):
        read(delta(content="Half"), event(said))
    with pytest.raises(error):
        read(json.dumps(said).encode())


@pytest.mark.parametrize("packets", [[delta(content="Half")], [delta(content="Half"), b'data: {"choi']])
def test_a_stream_without_an_end_is_cut(packets: list[bytes]):
    with pytest.raises(ModelStreamCut):
        read(*packets)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"<html>Welcome</html>\n",
        b"data: {oops}\n\n",
        b"data: [1, 2]\n\n",
        b'data: {"choices": "none"}\n\n',
        b'{"hello": "world"}',
        b'{"choices": [',
        b"[]",
        b"\x00\xff" * 50,
        b"data: " + b"[" * 100_000 + b"\n\n",
        b"data: " + b"a" * (2 * MAX_LINE),
        b"data: {}\n\n" * 3,
    ],
)
def test_garbage_is_nonsense(garbage: bytes):
    with pytest.raises(ModelNonsense):
        read(*(garbage[i : i + 65536] for i in range(0, len(garbage), 65536)))


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_our_errors(noise: bytes):
    with pytest.raises((ModelNonsense, ModelStreamCut)):
        read(delta(content="x"), b"data:" + noise.replace(b"[DONE]", b"") + b"\n", b"data: {]\n")


def test_an_answer_without_end_is_stopped():
    reader = AnswerReader(model="fake", secret=None)
    packet = delta(content="x" * 500_000)
    for _ in range(MAX_TOTAL // len(packet)):
        reader.feed(packet)
    with pytest.raises(ModelNonsense):
        reader.feed(packet)
