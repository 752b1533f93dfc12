"""The person's own live feed: a better title, made by the model later, reaches every open page of that person alone."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from httpx2 import Client

from tests.support.academy import new_thread, plant
from tests.support.fake_provider import FakeProvider
from tests.support.serving import Served, migrated_database, serving, settings_for, wait_for
from tests.support.sse import Frame, frames_of


@pytest.mark.parametrize("dialect", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def test_a_new_title_reaches_its_owner(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with FakeProvider() as provider:
        for text in ("Nodes talk over topics.", "Nodes and topics", "Dams hold water.", "Dams"):
            provider.reply(text)
        await asyncio.to_thread(scenario, dialect, tmp_path, request, provider.base_url)
    assert provider.requests[1].body["messages"][0]["role"] == "system"


def scenario(dialect: str, folder: Path, request: pytest.FixtureRequest, base_url: str) -> None:
    with migrated_database(dialect, folder, request) as url:
        academy = wait_for(plant(url))
        settings = settings_for(url, folder, model="compatible:fake", model_base_url=base_url, heartbeat=0.2)
        with serving(settings, academy) as served, ThreadPoolExecutor(4) as pool:
            with (
                served.client("student") as one,
                served.client("student") as two,
                served.client("classmate") as other,
            ):
                feeds = [opened(pool, client) for client in (one, two, other)]
                mine = title_by_model(served, "student", "How do nodes talk?")
                titles = [feed.result(20) for feed in feeds[:2]]
                for title in titles:
                    assert title.name == "thread.titled"
                    assert title.id is None
                    assert title.data == {
                        "type": "thread.titled",
                        "thread_id": mine,
                        "title": "Nodes and topics",
                    }
                theirs = title_by_model(served, "classmate", "What does a dam do?")
                assert feeds[2].result(20).data["thread_id"] == theirs, "the first that it hears is its own"
            with served.client("student") as client:
                assert client.get(f"/api/v1/threads/{mine}").json()["title"] == "Nodes and topics"


def opened(pool: ThreadPoolExecutor, client: Client) -> Future[Frame]:
    """A feed that is being read; returns once the server has opened it."""
    context = client.stream("GET", "/api/v1/events")
    response = context.__enter__()
    frames = frames_of(response)
    assert next(frames).raw == b": keep-alive"

    def read() -> Frame:
        try:
            return next(frame for frame in frames if frame.name is not None)
        finally:
            context.__exit__(None, None, None)

    return pool.submit(read)


def title_by_model(served: Served, who: str, question: str) -> str:
    """Ask a first question; the thread's id."""
    with served.client(who) as client:
        thread = new_thread(client)
        run = client.post(f"/api/v1/threads/{thread}/runs", json={"message": question}).json()["run"]["id"]
        assert "event: run.completed" in client.get(f"/api/v1/runs/{run}/events").text
    return thread


def test_nobody_has_no_feed(server: Served) -> None:
    with server.client() as client:
        assert client.get("/api/v1/events").status_code == 401
