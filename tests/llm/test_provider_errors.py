"""Reading what providers say when they fail."""

import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from famulus.kernel.errors import FamulusError, every_error
from famulus.llm.errors import ModelError
from famulus.llm.provider_errors import (
    EXCERPT,
    ProviderMessage,
    error_for,
    excerpt,
    read_message,
    retry_after,
)


def test_every_error_has_its_own_code_and_says_what_to_do():
    classes = every_error(ModelError)
    assert len({error.code for error in classes}) == len(classes)
    assert not {error.code for error in classes} & (
        {error.code for error in every_error()} - {e.code for e in classes}
    )
    for error in classes:
        assert error.code.startswith(("model_", "embedding_"))
        assert issubclass(error, FamulusError)
        assert len(error().detail) > 40
        assert error().detail.endswith((".", "?"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error":{"message":"m","code":"c"}}', ProviderMessage("m", "c")),
        (
            b'{"error":{"message":"m","type":"Rate_Limit_Error","code":null}}',
            ProviderMessage("m", "rate_limit_error"),
        ),
        (
            b'{"error":{"message":"m","code":"x1","type":"not_found_error"}}',
            ProviderMessage("m", "not_found_error"),
        ),
        (b'{"error":{"message":"m","code":429}}', ProviderMessage("m", "429", 429)),
        (b'{"error":{"message":"m","code":"503"}}', ProviderMessage("m", "503", 503)),
        (
            b'{"type":"error","error":{"type":"overloaded_error","message":"m"},"request_id":"r"}',
            ProviderMessage("m", "overloaded_error"),
        ),
        (b'{"error":"m"}', ProviderMessage("m")),
        (b'{"message":"m","object":"error"}', ProviderMessage("m")),
        (b'{"detail":"m"}', ProviderMessage("m")),
        (b'{"detail":[{"loc":1}]}', ProviderMessage()),
        (b"<html>", ProviderMessage()),
        (b"", ProviderMessage()),
        (b"[" * 100_000, ProviderMessage()),
    ],
)
def test_shapes_of_errors(body: bytes, message: ProviderMessage):
    assert read_message(body) == message


@given(st.text(), st.text(min_size=1, alphabet="abcdef0123456789"))
def test_an_excerpt_is_one_bounded_line_without_the_secret(text: str, secret: str):
    secret = f"sk-{secret}"
    line = excerpt(f"{text}{secret}{text}", secret)
    assert len(line) <= EXCERPT
    assert secret not in line
    assert line.isprintable()


@pytest.mark.parametrize(
    "key",
    ["sk-proj-abcdef12", "Bearer abc", "gsk_12345678", "hf_abcdefgh", "0123456789abcdef" * 2, "sk-***1234"],
)
def test_whatever_looks_like_a_key_is_left_out(key: str):
    assert excerpt(f"bad key {key} given", None) == "bad key … given"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5),
        ("1.5", 1.5),
        ("-3", 0),
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None):
    assert retry_after(header) == seconds


def test_retry_after_as_a_date():
    assert retry_after(formatdate(time.time() + 30, usegmt=True)) == pytest.approx(30, abs=2)
    assert retry_after(formatdate(0, usegmt=True)) == 0


def test_every_status_has_an_error():
    assert all(error_for(status, model="m").status >= 400 for status in range(300, 600))
