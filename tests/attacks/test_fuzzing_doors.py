"""A01 at the doors whose bodies no document of ours describes: good requests with some of their values changed.

Whatever comes is answered in the form that the protocol has for errors, is no failure of the server's, and tells nothing
of its inside.
"""

import copy
from typing import Any, cast
from uuid import uuid4

import pytest
from httpx2 import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import ag_ui, ai_sdk, chatkit
from tests.support.serving import Served

EXAMPLES = 40
SAID: dict[str, Any] = {
    "content": [{"type": "input_text", "text": "Hello."}],
    "quoted_text": "",
    "attachments": [],
    "inference_options": {},
}
WAYS: dict[str, tuple[str, Any]] = {
    "chat completions": (
        "/v1/chat/completions",
        {
            "model": "famulus",
            "messages": [{"role": "user", "content": "Hello."}],
            "stream": True,
            "max_tokens": 9,
        },
    ),
    "responses": (
        "/v1/responses",
        {"model": "famulus", "input": [{"role": "user", "content": "Hello."}], "tools": []},
    ),
    "chatkit": ("/chatkit", chatkit.request("threads.create", input=SAID)),
    "chatkit lists": ("/chatkit", chatkit.request("threads.list", limit=5, order="desc")),
    "ag-ui": ("/ag-ui", ag_ui.request("x", ag_ui.user("Hello."))),
    "ai-sdk": (
        "/ai-sdk",
        ai_sdk.request("x", ai_sdk.user("Hello."), messageId="m", trigger="submit-message"),
    ),
}
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.sampled_from(["thr_none", "\0", "x" * 5_000, "../..", "run_none.0", "conv_none"]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), st.integers(), max_size=3),
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a body."""
    children: list[tuple[Any, Any]] = []
    if isinstance(node, dict):
        children = list(cast(dict[str, Any], node).items())
    elif isinstance(node, list):
        children = list(enumerate(cast(list[Any], node)))
    return [
        *([path] if path else []),
        *(each for key, child in children for each in places(child, (*path, key))),
    ]


def changed(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The body with one place changed, or taken out where the value is an ellipsis."""
    body = copy.deepcopy(body)
    node = body
    for key in path[:-1]:
        node = node[key]
    if value is ...:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return body


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a01_whatever_comes_is_answered_in_the_protocol(embedded: Served, way: str) -> None:
    path, body = WAYS[way]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    )
    @given(st.sampled_from(places(body)), values | st.just(...))
    def one(place: tuple[Any, ...], value: Any) -> None:
        sent: dict[str, Any] = changed(body, place, value)
        for name in ("threadId", "id"):
            if sent.get(name) == "x":
                sent[name] = uuid4().hex
        answered(client, path, sent)

    with embedded.client("student") as client:
        one()


def answered(client: Client, path: str, body: Any) -> None:
    """Send it, and look at the answer."""
    answer = client.post(path, json=body)
    assert answer.status_code < 500, answer.text
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    if answer.status_code < 400:
        return
    told = answer.json()
    if path.startswith("/v1"):
        assert set(told["error"]) == {"message", "type", "param", "code"}
        assert told["error"]["message"]
    else:
        assert (told["status"], bool(told["code"]), bool(told["detail"])) == (answer.status_code, True, True)
