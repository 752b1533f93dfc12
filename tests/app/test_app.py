"""The composition root: what stops a start and how it says so, and that nothing is shared or left behind."""

import asyncio
import socket
import time
from pathlib import Path

import pytest
from httpx2 import ASGITransport, AsyncClient

from famulus.app import create_app, open_models
from famulus.kernel.database import Database
from famulus.kernel.errors import ConfigurationError
from famulus.kernel.migrate import DatabaseUnreachable, SchemaBehind
from famulus.kernel.settings import Settings
from tests.llm.streams import items_of, text_of
from tests.support.academy import Academy, plant
from tests.support.fake_provider import FakeProvider
from tests.support.postgres import Postgres
from tests.support.serving import migrated_database, serving, settings_for, wait_for

STRONG = "N7rQ2vX9kLz4Wm8TbYc3Hd6Jf1Gs5Pe0aUiO"


async def start(settings: Settings) -> None:
    """Start an application and stop it again."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        pass


async def test_it_starts_answers_and_leaves_nothing_behind(database_url: str, tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    app = create_app(settings_for(database_url, tmp_path))
    caller = AsyncClient(transport=ASGITransport(app=app), base_url="http://famulus.test")
    async with app.router.lifespan_context(app), caller as client:
        assert (await client.get("/readyz")).json()["status"] == "degraded", "there is no mail server"
        assert (await client.get("/api/v1/courses")).status_code == 401
    assert asyncio.all_tasks() == before
    await start(settings_for(database_url, tmp_path))


def test_two_in_one_process_share_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    with (
        migrated_database("sqlite", one, request) as url,
        migrated_database("sqlite", two, request) as other_url,
    ):
        academy, other = wait_for(plant(url)), Academy({})
        with (
            serving(settings_for(url, one), academy) as first,
            serving(
                settings_for(other_url, two, environment="production", secret_key=STRONG), other
            ) as second,
        ):
            token = {"Authorization": f"Bearer {academy.people['student'].token}"}
            with first.client() as client, second.client() as elsewhere:
                assert client.get("/api/auth/me", headers=token).status_code == 200
                assert elsewhere.get("/api/auth/me", headers=token).status_code == 401
                assert client.get("/api/v1/about").json()["environment"] == "local"
                assert elsewhere.get("/api/v1/about").json()["environment"] == "production"


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (None, "is missing"),
        ("short", "fewer than 32"),
        ("changeme" * 5, "repeats itself"),
        ("a" * 64, "repeats itself"),
        ("please-change-this-secret-key-in-production", "an example"),
        ("famulus-secret-key-famulus-example", "an example"),
    ],
)
@pytest.mark.parametrize("environment", ["test", "staging", "production"])
async def test_s02_without_a_strong_secret_it_does_not_start(
    environment: str, secret: str | None, said: str, tmp_path: Path
) -> None:
    settings = settings_for(
        f"sqlite:///{tmp_path}/x.db", tmp_path, environment=environment, secret_key=secret
    )
    with pytest.raises(ConfigurationError) as raised:
        await start(settings)
    assert "FAMULUS_SECRET_KEY" in raised.value.detail
    assert said in raised.value.detail
    assert "token_urlsafe" in raised.value.detail
    assert secret is None or secret not in raised.value.detail
    assert not (tmp_path / "x.db").exists(), "nothing half-done stays behind"


async def test_on_one_s_own_machine_a_secret_makes_itself(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = tmp_path / "var"
    database = await asyncio.to_thread(lambda: migrated_database("sqlite", tmp_path, request).__enter__())
    await start(settings_for(database, tmp_path))
    made = folder / "secret.key"
    assert made.stat().st_mode & 0o077 == 0
    kept = made.read_text()
    await start(settings_for(database, tmp_path))
    assert made.read_text() == kept
    made.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        await start(settings_for(database, tmp_path))


async def test_with_a_schema_that_is_behind_it_says_what_to_do(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    await database.close()
    with pytest.raises(SchemaBehind, match="run `famulus migrate`"):
        await start(settings_for(database_url, tmp_path))


async def test_an_empty_database_says_so(tmp_path: Path) -> None:
    with pytest.raises(SchemaBehind, match=r"missing.*run `famulus migrate`"):
        await start(settings_for(f"sqlite:///{tmp_path}/empty.db", tmp_path))


async def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    """Refused, unknown, or silent: within half a minute, where and why, without the password."""
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as gone:
        ports = [silent.getsockname()[1], gone.getsockname()[1]]
        gone.close()
        addresses = [f"127.0.0.1:{port}" for port in ports] + ["nowhere.invalid:5432"]
        for address in addresses:
            began = time.monotonic()
            with pytest.raises(DatabaseUnreachable) as raised:
                await start(settings_for(f"postgresql://somebody:pass-word@{address}/famulus", tmp_path))
            assert time.monotonic() - began < 30
            assert address in raised.value.detail
            assert "FAMULUS_DATABASE_URL" in raised.value.detail
            assert "pass-word" not in raised.value.detail


@pytest.mark.postgres
async def test_a_database_that_refuses(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.url("no_such_database")
    with pytest.raises(DatabaseUnreachable, match="no_such_database"):
        await start(settings_for(url, tmp_path))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("openai:gpt", "OPENAI_API_KEY"),
        ("anthropic:claude", "ANTHROPIC_API_KEY"),
        ("nonsense", "FAMULUS_MODEL"),
        ("scripted:/no/such/file.md", "no such file"),
    ],
)
async def test_a_model_that_cannot_be(
    model: str, said: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    database = await asyncio.to_thread(lambda: migrated_database("sqlite", tmp_path, request).__enter__())
    before = asyncio.all_tasks()
    with pytest.raises(ConfigurationError, match=said):
        await start(settings_for(database, tmp_path, model=model))
    assert asyncio.all_tasks() == before


async def test_without_a_choice_the_keys_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    async with FakeProvider() as provider:
        models = open_models(
            settings_for(
                "sqlite:///x.db",
                tmp_path,
                model=None,
                anthropic_api_key="sk-ant-x",
                anthropic_base_url=provider.base_url,
            )
        )
        assert text_of(await items_of(models.get())) == "Hello from the fake provider."
        assert models.get().kind == "anthropic"
        assert provider.requests[0].path == "/v1/messages"
        await models.close()


async def test_nothing_is_opened_before_it_starts(tmp_path: Path) -> None:
    create_app(settings_for(f"sqlite:///{tmp_path}/x.db", tmp_path))
    assert not (tmp_path / "x.db").exists()
    assert not (tmp_path / "var").exists()
