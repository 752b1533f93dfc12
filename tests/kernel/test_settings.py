"""Settings: where they come from, which name wins, and what an operator is told when one cannot work."""

import os
from pathlib import Path

import pytest

from famulus.kernel.errors import ConfigurationError
from famulus.kernel.settings import PREFIX, Settings, load_settings

CUSTOMARY = (
    "APP_ENV PORT SECRET_KEY DATABASE_URL CHATKIT_STORE_DATABASE_URL OPENAI_API_KEY OPENAI_BASE_URL"
    " ANTHROPIC_API_KEY ANTHROPIC_BASE_URL MAIN_AGENT_USE_MOCK MAIN_AGENT_MOCK_MESSAGES_FILE LOG_LEVEL"
).split()
SECRET = "kept-to-ourselves-0123456789-abcdef"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says nothing."""
    for name in [*CUSTOMARY, *(name for name in os.environ if name.startswith(PREFIX))]:
        monkeypatch.delenv(name, raising=False)


def test_without_any_setting_everything_has_a_default() -> None:
    settings = load_settings()

    assert (settings.environment, settings.local, settings.sign_up_open) == ("local", True, True)
    assert settings.database == f"sqlite+aiosqlite:///{Path('var') / 'famulus.db'}"


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("APP_ENV", "production", "environment", "production"),
        ("APP_ENV", "Production", "environment", "production"),
        ("FAMULUS_ENVIRONMENT", "STAGING", "environment", "staging"),
        ("PORT", "9000", "port", 9000),
        ("FAMULUS_PORT", "9000", "port", 9000),
        ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("DATABASE_URL", "postgres://u:p@h/d", "database", "postgresql+asyncpg://u:p@h/d"),
        ("DATABASE_URL", "postgresql+psycopg2://h/d", "database", "postgresql+asyncpg://h/d"),
        ("CHATKIT_STORE_DATABASE_URL", "sqlite:///x.db", "database", "sqlite+aiosqlite:///x.db"),
        ("OPENAI_BASE_URL", "http://localhost:11434/v1", "model_base_url", "http://localhost:11434/v1"),
        ("ANTHROPIC_BASE_URL", "https://gateway.example", "anthropic_base_url", "https://gateway.example"),
        ("FAMULUS_ALLOWED_PRIVATE_HOSTS", '["wiki.lan"]', "allowed_private_hosts", ("wiki.lan",)),
        ("FAMULUS_PUBLIC_URL", "https://x.org", "https", True),
        ("FAMULUS_SIGN_UP", "false", "sign_up_open", False),
    ],
)
def test_a_name_is_understood(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, field: str, expected: object
) -> None:
    monkeypatch.setenv(name, value)

    assert getattr(load_settings(), field) == expected


@pytest.mark.parametrize(
    ("ours", "customary"),
    [
        ("FAMULUS_PORT", "PORT"),
        ("FAMULUS_DATABASE_URL", "DATABASE_URL"),
        ("FAMULUS_LOG_LEVEL", "LOG_LEVEL"),
        ("FAMULUS_SECRET_KEY", "SECRET_KEY"),
    ],
)
def test_our_own_name_wins(monkeypatch: pytest.MonkeyPatch, ours: str, customary: str) -> None:
    values = {
        "PORT": ("1", "2"),
        "DATABASE_URL": ("sqlite:///a", "sqlite:///b"),
        "LOG_LEVEL": ("ERROR", "INFO"),
    }
    first, second = values.get(customary, ("one", "two"))
    monkeypatch.setenv(customary, second)
    both = load_settings()
    monkeypatch.setenv(ours, first)
    won = load_settings()
    monkeypatch.delenv(customary)

    assert won == load_settings()
    assert won != both


def test_a_value_that_is_handed_over_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAMULUS_PORT", "9000")

    assert load_settings(port=9001).port == 9001


def test_an_empty_value_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("OPENAI_API_KEY", "")

    settings = load_settings()

    assert settings.database_url is None
    assert settings.openai_api_key is None


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        (
            "DATABASE_URL",
            "mysql://u:hidden-word@h/d",
            "FAMULUS_DATABASE_URL: Value error, write postgresql+asyncpg://",
        ),
        ("PORT", "eighty", "FAMULUS_PORT: Input should be a valid integer"),
        (
            "APP_ENV",
            "prod",
            "FAMULUS_ENVIRONMENT: Input should be 'local', 'test', 'staging' or 'production'",
        ),
        (
            "FAMULUS_MODEL_BASE_URL",
            "localhost:11434",
            "FAMULUS_MODEL_BASE_URL must begin with http:// or https://",
        ),
        ("ANTHROPIC_BASE_URL", "gateway.example", "ANTHROPIC_BASE_URL must begin with http:// or https://"),
        ("MAIN_AGENT_USE_MOCK", "true", "MAIN_AGENT_MOCK_MESSAGES_FILE"),
        ("FAMULUS_CRASH_POINT", "finish", "FAMULUS_CRASH_POINT works only where APP_ENV is test"),
        ("FAMULUS_RUN_LEASE", "0", "FAMULUS_RUN_LEASE: Input should be greater than or equal to 0.5"),
    ],
)
def test_what_cannot_work_is_named_with_what_to_write(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, hint: str
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("FAMULUS_SECRET_KEY", SECRET)

    with pytest.raises(ConfigurationError) as caught:
        load_settings()

    assert hint in caught.value.detail
    assert SECRET not in caught.value.detail
    assert "hidden-word" not in caught.value.detail


def test_nothing_secret_is_in_what_settings_show(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FAMULUS_SECRET_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("DATABASE_URL", "postgresql://famulus:hidden-word@db/famulus")

    settings = load_settings()

    for shown in (repr(settings), str(settings)):
        assert SECRET not in shown
        assert "hidden-word" not in shown


def test_every_setting_is_described_and_read_under_its_own_name() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert PREFIX + name.upper() in str(field.validation_alias), name


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1
