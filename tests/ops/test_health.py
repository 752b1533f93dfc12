"""What an operator's machinery sees: alive, ready part by part, and what to do when not."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from famulus.identity.models import Mail
from famulus.kernel.database import Database
from famulus.kernel.migrate import newest
from famulus.kernel.tables import utc_now
from tests.support.serving import Served, bare, wait_for

STRONG = "N7rQ2vX9kLz4Wm8TbYc3Hd6Jf1Gs5Pe0aUiO"


def part(body: Any, name: str) -> Any:
    return next(each for each in body["parts"] if each["name"] == name)


def test_alive(server: Served) -> None:
    with server.client() as client:
        assert client.get("/healthz").json() == {"status": "ok"}


def test_ready(server: Served) -> None:
    with server.client() as client:
        response = client.get("/readyz")
        body = response.json()
        assert response.status_code == 200
        assert body["status"] == "degraded", "there is no mail server"
        assert {each["name"]: each["state"] for each in body["parts"]} == {
            "database": "ok", "model": "ok", "model_providers": "ok", "embedding": "degraded", "index": "ok",
            "data_dir": "ok", "mail": "degraded", "connections": "ok",
        }  # fmt: skip
        assert newest() in part(body, "database")["detail"]
        assert "FAMULUS_EMBEDDING" in part(body, "embedding")["detail"]


def test_with_a_mail_server_it_is_ready(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    whole = {"smtp_host": "127.0.0.1", "mail_from": "famulus@famulus.local", "embedding": "local"}
    with bare("sqlite", tmp_path, request, **whole) as served, served.client() as client:
        assert client.get("/readyz").json()["status"] == "ok"
        wait_for(late_mail(served.settings.database))
        response = client.get("/readyz")
        assert (response.status_code, response.json()["status"]) == (200, "degraded")
        assert "mails wait since" in part(response.json(), "mail")["detail"]


async def late_mail(url: str) -> None:
    database = Database(url)
    async with database.write() as session:
        session.add(
            Mail(
                id="mai_1",
                recipient="a@famulus.local",
                subject="x",
                body="x",
                kind="verify",
                state="waiting",
                created_at=utc_now() - timedelta(minutes=6),
            )
        )
    await database.close()


def test_without_a_model_it_is_degraded_and_serves(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with bare("sqlite", tmp_path, request, model="offline") as served, served.client() as client:
        response = client.get("/readyz")
        assert (response.status_code, response.json()["status"]) == (200, "degraded")
        model = part(response.json(), "model")
        assert model["state"] == "degraded"
        assert "FAMULUS_MODEL" in model["detail"]


@pytest.mark.parametrize("dialect", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_with_another_schema_it_is_down_and_alive(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async def change(revision: str, url: str) -> None:
        database = Database(url)
        async with database.write() as session:
            await session.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
        await database.close()

    with bare(dialect, tmp_path, request) as served, served.client() as client:
        wait_for(change("0001", served.settings.database))
        response = client.get("/readyz")
        assert (response.status_code, response.json()["status"]) == (503, "down")
        assert "famulus migrate" in part(response.json(), "database")["detail"]
        assert client.get("/healthz").status_code == 200
        wait_for(change(newest(), served.settings.database))
        assert client.get("/readyz").status_code == 200, "and recovers without a restart"


def test_about_on_one_s_own_machine(embedded: Served) -> None:
    with embedded.client() as client:
        about = client.get("/api/v1/about").json()
    assert about.pop("version")
    assert about == {
        "name": "Famulus", "model": {"kind": "scripted", "name": "replies.md"}, "environment": "local", "demo": True,
        "sign_up": True,
    }  # fmt: skip


def test_about_elsewhere_tells_less(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    strict = {"environment": "production", "secret_key": STRONG}
    with bare("sqlite", tmp_path, request, **strict) as served, served.client() as client:
        about = client.get("/api/v1/about").json()
        assert about["model"] == {"kind": "scripted", "name": ""}
        assert (about["environment"], about["demo"], about["sign_up"]) == ("production", False, False)
        person = {"email": "new@famulus.local", "password": "password123", "name": "New"}
        refused = client.post("/api/auth/signup", json=person)
        assert (refused.status_code, refused.json()["code"]) == (403, "sign_up_closed")
        for path in ("/docs", "/openapi.json"):
            assert client.get(path).status_code == 404
