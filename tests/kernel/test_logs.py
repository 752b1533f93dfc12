"""Logs: one shape for our lines and libraries', with ids, and without what nobody may read there."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from famulus.kernel.logs import about, blank, configure
from famulus.kernel.settings import load_settings

CREDENTIAL = "sk-opens-doors"
LETTER = "Dear Famulus, nobody else should read this."


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Logging belongs to the process: leave it as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    loggers = [
        logging.getLogger(name)
        for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "aiohttp")
    ]
    states = [(each.handlers[:], each.level, each.propagate, each.disabled) for each in loggers]
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for each, (theirs, their_level, propagate, disabled) in zip(loggers, states, strict=True):
        each.handlers[:] = theirs
        each.setLevel(their_level)
        each.propagate, each.disabled = propagate, disabled
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def start(form: str = "json", level: str = "INFO") -> io.StringIO:
    """Configure logging, and where it goes."""
    stream = io.StringIO()
    configure(load_settings(log_format=form, log_level=level, data_dir=Path("unused")), stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """What was logged as JSON."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_lines_and_a_librarys_have_one_shape() -> None:
    stream = start()
    structlog.get_logger("famulus.x").warning("run_failed", took_ms=5)
    logging.getLogger("uvicorn.error").warning("Started on port %d", 8000)

    ours, theirs = lines(stream)
    assert ours | {"timestamp": "-"} == {
        "event": "run_failed",
        "took_ms": 5,
        "level": "warning",
        "logger": "famulus.x",
        "timestamp": "-",
    }
    assert (theirs["event"], theirs["level"], theirs["logger"]) == (
        "Started on port 8000",
        "warning",
        "uvicorn.error",
    )
    assert ours["timestamp"].endswith("Z")
    assert set(theirs) == set(ours) - {"took_ms"}


def test_lines_bear_the_ids_of_what_they_belong_to() -> None:
    stream = start()
    log = structlog.get_logger("famulus.x")
    with about(request_id="req_1"):
        with about(run_id="run_1", thread_id="thr_1"):
            log.info("inside")
            logging.getLogger("library").warning("inside as well")
        log.info("around")
    log.info("outside")

    found = [{key: line.get(key) for key in ("request_id", "run_id", "thread_id")} for line in lines(stream)]
    inner = {"request_id": "req_1", "run_id": "run_1", "thread_id": "thr_1"}
    nothing = dict.fromkeys(inner)
    assert found == [inner, inner, nothing | {"request_id": "req_1"}, nothing]


def test_levels_are_kept_and_libraries_are_quiet() -> None:
    stream = start(level="INFO")
    structlog.get_logger("famulus.x").debug("unheard")
    for name in ("aiohttp.client", "asyncio", "sqlalchemy.engine"):
        logging.getLogger(name).info("unheard")
    logging.getLogger("uvicorn.access").warning("GET / 200")
    logging.getLogger("uvicorn.error").info("heard")

    assert [line["event"] for line in lines(stream)] == ["heard"]


def test_configuring_again_does_not_double_the_lines() -> None:
    start()
    stream = start()
    structlog.get_logger("famulus.x").info("once")

    assert len(lines(stream)) == 1


@pytest.mark.parametrize("form", ["json", "text"])
def test_credentials_and_what_people_wrote_are_not_logged(form: str) -> None:
    stream = start(form)
    log = structlog.get_logger("famulus.x")
    log.warning(
        "everything_at_once",
        authorization=f"Bearer {CREDENTIAL}",
        Cookie=CREDENTIAL,
        new_password=CREDENTIAL,
        access_token=CREDENTIAL,
        openai_api_key=CREDENTIAL,
        client_secret=CREDENTIAL.encode(),
        headers={"X-Api-Key": CREDENTIAL, "nested": [{"refresh_token": CREDENTIAL}]},
        note=f"sent Authorization: Bearer {CREDENTIAL} to them",
        address=f"postgresql://famulus:{CREDENTIAL}@db/famulus",
        query=f"?api_key={CREDENTIAL}&x=1",
        text=LETTER,
        message={"parts": [LETTER]},
        request={"content": LETTER, "question": LETTER},
        input_tokens=12,
    )
    logging.getLogger("library").error("connecting to redis://user:%s@host failed", CREDENTIAL)
    try:
        secret = CREDENTIAL
        raise RuntimeError(f"401 for Bearer {secret}")
    except RuntimeError:
        log.exception("broken")

    output = stream.getvalue()
    assert CREDENTIAL not in output
    assert LETTER not in output
    assert "12" in output
    assert "RuntimeError: 401" in output
    assert "everything_at_once" in output


def test_the_length_of_what_was_written_may_be_known() -> None:
    assert blank(None, "info", {"event": "x", "text": "12345", "title": None}) == {
        "event": "x",
        "text": "[5 characters]",
        "title": None,
    }


def test_what_is_no_json_is_still_logged() -> None:
    stream = start()
    endless: dict[str, Any] = {}
    endless["again"] = endless
    structlog.get_logger("famulus.x").info("odd", path=Path("a"), kinds={1}, endless=endless, nothing=None)

    (line,) = lines(stream)
    assert (line["path"], line["kinds"], line["nothing"]) == ("a", [1], None)


def test_text_for_reading_is_one_line_without_colours_in_a_file() -> None:
    stream = start("text")
    structlog.get_logger("famulus.x").info("run_done", took_ms=5)

    assert stream.getvalue().count("\n") == 1
    assert "run_done" in stream.getvalue()
    assert "took_ms=5" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
