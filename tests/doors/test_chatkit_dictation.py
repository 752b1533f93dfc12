"""Dictation: a recording becomes text by a server that speaks OpenAI's wire, if there is one."""

import asyncio
import base64
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from tests.support.chatkit import ChatKit
from tests.support.problems import assert_problem
from tests.support.serving import Served

OPUS = "audio/webm;codecs=opus"
AUDIO = base64.b64encode(b"\x1aE\xdf\xa3speech").decode()


@dataclass
class Ear:
    """A server that hears."""

    url: str = ""
    status: int = 200
    heard: list[Any] = field(default_factory=list[Any])

    async def hear(self, request: web.Request) -> web.Response:
        form = await request.post()
        file: Any = form["file"]
        self.heard.append(
            (form["model"], file.filename, file.content_type, file.file.read(), request.headers)
        )
        if self.status != 200:
            return web.json_response({"error": {"message": "secret inside"}}, status=self.status)
        return web.json_response({"text": " What is a spring? "})


@pytest.fixture(scope="module")
def ear() -> Iterator[Ear]:
    """A real server in a thread of its own."""
    ear, loop, ready = Ear(), asyncio.new_event_loop(), threading.Event()

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=20_000_000)
        app.router.add_post("/v1/audio/transcriptions", ear.hear)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ear.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        return runner

    def run() -> None:
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    yield ear
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


@pytest.fixture
def kit(embedded: Served, ear: Ear) -> Iterator[ChatKit]:
    """A client of a server that knows this ear."""
    state = embedded.app.state
    before = state.settings
    state.settings = before.model_copy(
        update={"transcription_model": "whisper-1", "transcription_base_url": ear.url}
    )
    with embedded.client("student") as client:
        yield ChatKit(client)
    state.settings = before


def test_chatkit_A18_what_is_said_becomes_text(kit: ChatKit, ear: Ear) -> None:
    for mime_type, name in (
        (OPUS, "speech.webm"),
        ("audio/mp4", "speech.mp4"),
        ("audio/ogg;codecs=opus", "speech.ogg"),
    ):
        assert kit.json("input.transcribe", audio_base64=AUDIO, mime_type=mime_type) == {
            "text": "What is a spring?"
        }
        model, filename, kind, audio, _ = ear.heard[-1]
        assert (model, filename, audio) == ("whisper-1", name, b"\x1aE\xdf\xa3speech")
        assert kind == mime_type.partition(";")[0]
    minutes = base64.b64encode(b"\0" * 5_000_000).decode()
    assert kit.json("input.transcribe", audio_base64=minutes, mime_type=OPUS)["text"]


def test_chatkit_A18_bad_recordings_are_refused(kit: ChatKit, ear: Ear) -> None:
    heard = len(ear.heard)
    for audio, mime_type in (("", OPUS), ("?", OPUS), (AUDIO, "text/html"), (AUDIO, "")):
        assert_problem(kit.post("input.transcribe", audio_base64=audio, mime_type=mime_type), 422, "invalid")
    big = base64.b64encode(b"\0" * 6_100_000).decode()
    assert_problem(kit.post("input.transcribe", audio_base64=big, mime_type=OPUS), 422, "invalid")
    assert_problem(
        kit.post("input.transcribe", audio_base64="A" * 9_000_000, mime_type=OPUS), 413, "too_large"
    )
    assert len(ear.heard) == heard


@pytest.mark.parametrize(
    ("status", "code"), [(401, "model_key_refused"), (429, "model_rate_limited"), (500, "model_unavailable")]
)
def test_the_far_side_s_trouble_is_told_in_words(kit: ChatKit, ear: Ear, status: int, code: str) -> None:
    ear.status = status
    try:
        response = kit.post("input.transcribe", audio_base64=AUDIO, mime_type=OPUS)
    finally:
        ear.status = 200
    assert response.status_code >= 429 or response.status_code == 502
    assert response.json()["code"] == code


def test_without_a_model_dictation_is_refused(embedded: Served) -> None:
    with embedded.client("student") as client:
        response = ChatKit(client).post("input.transcribe", audio_base64=AUDIO, mime_type=OPUS)
    assert_problem(response, 403, "no_transcription")
