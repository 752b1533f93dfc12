"""The reader of Messages answers, byte by byte, without a network."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from famulus.llm.anthropic_stream import MessageReader
from famulus.llm.calls import MAX_ARGUMENTS, MAX_CALLS
from famulus.llm.errors import (
    ModelContextTooLong,
    ModelError,
    ModelNonsense,
    ModelQuotaExhausted,
    ModelRateLimited,
    ModelRequestRefused,
    ModelStreamCut,
    ModelTimeout,
    ModelUnavailable,
)
from famulus.llm.protocol import End, Item, ReasoningDelta, Sealed, TextDelta, ToolCall, ToolCallReady, Usage
from famulus.llm.reader import MAX_LINE, MAX_TOTAL
from tests.llm.streams import text_of
from tests.support.fake_messages import (
    PING,
    STOP,
    answer_events,
    begin,
    call_events,
    close,
    delta,
    event,
    start,
    stopped,
    text,
)

STOPPED = stopped("end_turn")


def read(*packets: bytes) -> list[Item]:
    reader = MessageReader(model="fake", secret="sk-ant-secret")
    items = [item for packet in packets for item in reader.feed(packet)]
    return items + reader.finish()


def calls(items: list[Item]) -> list[tuple[str, str]]:
    return [(item.call.name, item.call.arguments) for item in items if isinstance(item, ToolCallReady)]


ANSWER = b"".join(
    [
        *answer_events(["Grüße", ", 世界", " 🤖!"], tool_calls=[("look", {"q": "ä"})], usage_tokens=(3, 4)),
        STOP,
    ]
)


def test_a_whole_answer_in_one_packet():
    assert read(ANSWER) == [
        TextDelta("Grüße"),
        TextDelta(", 世界"),
        TextDelta(" 🤖!"),
        ToolCallReady(ToolCall("toolu_0_look", "look", '{"q": "\\u00e4"}')),
        Usage(3, 4),
        End("tool_calls"),
    ]


def test_split_at_every_byte():
    assert read(*(ANSWER[i : i + 1] for i in range(len(ANSWER)))) == read(ANSWER)
    for at in range(1, len(ANSWER)):
        assert read(ANSWER[:at], ANSWER[at:]) == read(ANSWER)


@given(st.lists(st.text(min_size=1)), st.data())
def test_any_text_survives_any_packets(texts: list[str], data: st.DataObject):
    stream = b"".join([start(), *(text(content) for content in texts), STOPPED, STOP])
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)))
    packets = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert text_of(read(*packets)) == "".join(texts).replace("\0", "�")


@pytest.mark.parametrize(
    "stream",
    [
        ANSWER.replace(b"\n", b"\r\n"),
        ANSWER.replace(b"data: ", b"data:"),
        ANSWER.replace(b"event: ", b": keep-alive\n\nid: 7\nevent: "),
        b"\n".join(line for line in ANSWER.split(b"\n") if line[:6] != b"event:"),
        b"\xef\xbb\xbf" + ANSWER,
        b"\n\n \n" + ANSWER,
        ANSWER.removesuffix(STOP),
        ANSWER.removesuffix(b"\n\n"),
        ANSWER + b"data: [DONE]\n\n",
        ANSWER.replace(STOP, b"event: x\ndata: \n\n" + STOP),
        ANSWER.replace(PING, event("ping", delta="odd", message=7) + event("tomorrow", error=None)),
    ],
    ids=[
        "crlf",
        "no space",
        "comments",
        "no names",
        "byte order mark",
        "blank",
        "no stop",
        "no last newline",
        "done",
        "empty data",
        "unknown kinds",
    ],
)
def test_spellings_of_the_same_stream(stream: bytes):
    assert read(stream) == read(ANSWER)


def test_every_event_in_a_packet_of_its_own():
    packets = [packet + b"\n\n" for packet in ANSWER.split(b"\n\n") if packet]
    assert read(*packets) == read(ANSWER)


def test_a_name_may_come_before_its_event():
    reader = MessageReader(model="fake", secret=None)
    for packet in (b"event: content_block_delta\n", b"\n", b"event: ping\n\n"):
        assert reader.feed(packet) == []
    assert reader.feed(text("a")) == [TextDelta("a")]
    assert reader.feed(text("b") + text("c")) == [TextDelta("b"), TextDelta("c")]


def test_nul_and_broken_text_are_replaced():
    broken = text("a?b").replace(b"?", b"\xff")
    half = text("c?d").replace(b"?", b"\\ud83d")
    assert text_of(read(text("x\0y"), broken, half, STOPPED)) == "x�ya�bc�d"


def test_thoughts_are_apart_from_the_answer_and_sealed_for_the_way_back():
    items = read(
        start(),
        begin(0, "thinking", thinking="", signature=""),
        delta("thinking_delta", thinking="Hm."),
        delta("signature_delta", signature="EqQB"),
        close(),
        begin(1, "redacted_thinking", data="abc"),
        close(1),
        begin(2, text=""),
        text("Yes.", 2),
        delta("citations_delta", 2, citation={"type": "char_location", "cited_text": "no"}),
        delta("tomorrow_delta", 2, text="no"),
        STOPPED,
    )
    sealed = [
        Sealed("anthropic:fake", b'{"type":"thinking","thinking":"Hm.","signature":"EqQB"}'),
        Sealed("anthropic:fake", b'{"type":"redacted_thinking","data":"abc"}'),
    ]
    assert items == [ReasoningDelta("Hm."), *sealed, TextDelta("Yes."), Usage(0, 0), End("stop")]


def test_a_beginning_that_has_it_all():
    items = read(
        begin(0, "thinking", thinking="Hm."),
        begin(1, text="Yes."),
        begin(2, "tool_use", id="a", name="f", input={"x": [1]}),
        delta("input_json_delta", 2, partial_json='{"x": [1]}'),
        stopped("tool_use"),
    )
    assert items[:2] == [ReasoningDelta("Hm."), TextDelta("Yes.")]
    assert calls(items) == [("f", '{"x": [1]}')]


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("tomorrow", "stop"),
        ("tool_use", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
    ],
)
def test_reasons(reason: str, end: str):
    assert read(text("x"), stopped(reason), STOP)[-1] == End(end)


def test_a_stop_without_a_reason_is_an_end():
    assert read(start(), text("x"), STOP)[-1] == End("stop")


def test_calls_come_whole_and_in_order():
    items = read(
        begin(1, "tool_use", id="a", name="one", input={}),
        begin(2, "tool_use", id="b", name="two", input={}),
        delta("input_json_delta", 2, partial_json='{"x"'),
        delta("input_json_delta", 1, partial_json='{"y": 1}'),
        delta("input_json_delta", 2, partial_json=": 2}"),
        delta("input_json_delta", 3, partial_json="nobody's"),
        close(1),
        delta("input_json_delta", 1, partial_json="too late"),
        *call_events(3, "c", "three", ""),
        stopped("tool_use"),
        STOP,
    )
    assert items[:3] == [
        ToolCallReady(ToolCall("a", "one", '{"y": 1}')),
        ToolCallReady(ToolCall("b", "two", '{"x": 2}')),
        ToolCallReady(ToolCall("c", "three", "{}")),
    ]
    assert items[-1] == End("tool_calls")


def test_what_the_server_does_itself_is_no_call_of_ours():
    items = read(
        begin(0, "server_tool_use", id="s", name="web_search", input={}),
        delta("input_json_delta", partial_json='{"query": "x"}'),
        close(),
        begin(1, "web_search_tool_result", tool_use_id="s", content=[{"type": "web_search_result"}]),
        text("x", 2),
        STOPPED,
    )
    assert [type(item) for item in items] == [TextDelta, Usage, End]


def test_calls_that_share_an_id_or_a_place_are_kept_apart():
    one, two = call_events(1, "a", "f", '{"n": 1}'), call_events(1, "a", "f", '{"n": 2}')
    items = read(*one, *two, *call_events(2, "", "f", '{"n": 3}'), stopped("tool_use"))
    assert calls(items) == [("f", '{"n": 1}'), ("f", '{"n": 2}'), ("f", '{"n": 3}')]
    ids = [item.call.id for item in items if isinstance(item, ToolCallReady)]
    assert ids[0] == "a"
    assert all(ids)
    assert len(set(ids)) == 3


@pytest.mark.parametrize("begun", ["", '{"x": '])
def test_a_call_that_was_cut_is_left_out(begun: str):
    for reason, end in (("max_tokens", "length"), ("refusal", "content_filter")):
        events = [*call_events(1, "a", "f", "{}"), *call_events(2, "b", "g", begun), stopped(reason), STOP]
        items = read(*events)
        assert calls(items) == [("f", "{}")]
        assert items[-1] == End(end)


@pytest.mark.parametrize(
    "events",
    [
        call_events(0, "a", "", "{}"),
        [event for number in range(MAX_CALLS + 1) for event in call_events(number, f"c{number}", "f", "{}")],
        call_events(0, "a", "f", "x" * MAX_ARGUMENTS + "x"),
    ],
    ids=["no name", "too many", "endless"],
)
def test_calls_that_cannot_be_meant(events: list[bytes]):
    with pytest.raises(ModelNonsense, match="tool"):
        read(*events, stopped("tool_use"))


@pytest.mark.parametrize(
    ("first", "last", "usage"),
    [
        ({"input_tokens": 5, "output_tokens": 1}, {"output_tokens": 9}, Usage(5, 9)),
        (
            {
                "input_tokens": 5,
                "cache_creation_input_tokens": 20,
                "cache_read_input_tokens": 300,
                "output_tokens": 1,
            },
            {"input_tokens": 5, "output_tokens": 9},
            Usage(325, 9, 300),
        ),
        ({"input_tokens": 0, "output_tokens": 0}, {"input_tokens": 5, "output_tokens": 9}, Usage(5, 9)),
    ],
)
def test_usage_is_told_once(first: dict[str, int], last: dict[str, int], usage: Usage):
    items = read(start(**first), text("a"), stopped(None, **last), stopped("end_turn", **last), STOP)
    assert [item for item in items if isinstance(item, Usage)] == [usage]


def test_a_json_body_instead_of_a_stream():
    content = [
        {"type": "thinking", "thinking": "Hm"},
        {"type": "text", "text": "Hi"},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "b", "name": "g", "input": {}},
    ]
    body = {"type": "message", "content": content, "stop_reason": "tool_use", "usage": {"input_tokens": 1}}
    whole = json.dumps(body).encode()
    expected: list[Item] = [
        ReasoningDelta("Hm"),
        TextDelta("Hi"),
        ToolCallReady(ToolCall("a", "f", '{"x": 1}')),
        ToolCallReady(ToolCall("b", "g", "{}")),
        Usage(1, 0),
        End("tool_calls"),
    ]
    assert read(whole) == expected
    assert read(*(whole[i : i + 7] for i in range(0, len(whole), 7))) == expected


@pytest.mark.parametrize(
    ("kind", "message", "error"),
    [
        ("overloaded_error", "Overloaded", ModelUnavailable),
        ("api_error", "Internal server error", ModelUnavailable),
        ("rate_limit_error", "slow down", ModelRateLimited),
        ("timeout_error", "slow", ModelTimeout),
        ("billing_error", "pay", ModelQuotaExhausted),
        ("request_too_large", "large", ModelContextTooLong),
        ("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum", ModelContextTooLong),
        (
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 9 + 4 > 8",
            ModelContextTooLong,
        ),
        ("invalid_request_error", "Your credit balance is too low to access the API", ModelQuotaExhausted),
        ("invalid_request_error", "bad sk-ant-secret value", ModelRequestRefused),
        ("tomorrow_error", "?", ModelUnavailable),
    ],
)
def test_errors_inside_the_stream_or_as_a_body(kind: str, message: str, error: type[ModelError]):
    said = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    for packets in ([start(), text("Half"), event(**{"kind": "error"} | said)], [json.dumps(said).encode()]):
        with pytest.raises(error) as raised:
            read(*packets)
        assert type(raised.value) is error
        assert "secret" not in raised.value.detail


@pytest.mark.parametrize(
    "packets",
    [
        [start(), text("Half")],
        [start(), text("Half"), b'event: message_stop\ndata: {"type": "mess'],
        [start(), *call_events(0, "a", "f", "{}")],
    ],
)
def test_a_stream_without_an_end_is_cut(packets: list[bytes]):
    with pytest.raises(ModelStreamCut):
        read(*packets)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"<html>Welcome</html>\n",
        b"event: message_stop\ndata: {oops}\n\n",
        b"data: [1, 2]\n\n",
        b'data: {"type": "content_block_delta", "delta": "none"}\n\n',
        b'data: {"type": "message", "content": "none"}\n\n',
        b'{"type": "message", "content": [',
        b'{"hello": "world"}',
        b'{"message": "world"}',
        b"[]",
        b"\x00\xff" * 50,
        b"data: " + b"[" * 100_000 + b"\n\n",
        b"data: " + b"a" * (2 * MAX_LINE),
        b"data: {}\n\n" * 3,
        PING * 3,
        b"data: [DONE]\n\n",
    ],
)
def test_garbage_is_nonsense(garbage: bytes):
    with pytest.raises(ModelNonsense):
        read(*(garbage[i : i + 65536] for i in range(0, len(garbage), 65536)))


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_our_errors(noise: bytes):
    with pytest.raises(ModelError):
        read(text("x"), b"data:" + noise + b"\n", b"data: {]\n")


def test_broken_arguments_raise_nothing_but_our_errors():
    block = begin(0, "tool_use", id="a", name="f", input={"x": "?"}).replace(b"?", b"\xff")
    assert calls(read(block, stopped("tool_use"))) == [("f", '{"x": "�"}')]


def test_an_answer_without_end_is_stopped():
    reader = MessageReader(model="fake", secret=None)
    packet = text("x" * 500_000)
    for _ in range(MAX_TOTAL // len(packet)):
        reader.feed(packet)
    with pytest.raises(ModelNonsense):
        reader.feed(packet)
