"""The secret and what is made of it: made once and for its owner only, strong or refused; nothing opens without."""

import os
import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from famulus.kernel.errors import ConfigurationError
from famulus.kernel.secrets import Unreadable, Vault, derive_key, digest, load_secret, weakness
from famulus.kernel.settings import Settings, load_settings

STRONG = "mZ4qv0aTn8yX2cK7wLr5Jd9PbUe3HsGf6iQoVtB1xNk"
WEAK = [
    "short",
    STRONG[:31],
    "a" * 64,
    "changeme" * 8,
    "secretsecretsecretsecretsecretsecret",
    "abcdefgabcdefgabcdefgabcdefgabcdefg",
    "your-secret-key-please-change-me-in-production",
    "this-is-a-very-long-secret-key-for-testing-only",
    "at-least-32-random-characters-go-here!!",
    "0123456789012345678901234567890123456789",
    "abcdefghijklmnopqrstuvwxyz0123456789",
    "Famulus-Example-Secret-Key-Change-Before-Use",
]


def settings(folder: Path, environment: str = "local", secret: str | None = None) -> Settings:
    """Settings that depend on nothing around the test."""
    return load_settings(environment=environment, data_dir=folder, secret_key=secret)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without a secret."""
    for name in ("FAMULUS_SECRET_KEY", "SECRET_KEY", "APP_ENV", "FAMULUS_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)


# --- on one's own machine -------------------------------------------------------------------------


def test_a_secret_makes_itself_for_its_owner_only_and_stays(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        secret = load_secret(settings(tmp_path / "new" / "folder"))
    finally:
        os.umask(before)

    path = tmp_path / "new" / "folder" / "secret.key"
    assert len(secret) >= 48
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_secret(settings(path.parent)) == secret
    assert [each.name for each in path.parent.iterdir()] == ["secret.key"]


def test_of_many_that_start_at_once_one_makes_the_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        found = set(threads.map(load_secret, [settings(tmp_path)] * 64))

    assert len(found) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["secret.key"]


def test_a_file_that_others_can_read_is_refused_with_what_to_do(tmp_path: Path) -> None:
    load_secret(settings(tmp_path))
    (tmp_path / "secret.key").chmod(0o640)

    with pytest.raises(ConfigurationError, match=r"chmod 600 .*secret\.key"):
        load_secret(settings(tmp_path))


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 64, b"a" * 64])
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(ConfigurationError, match=r"secret\.key"):
        load_secret(settings(tmp_path))
    assert path.read_bytes() == content


def test_a_folder_that_is_none_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match="FAMULUS_DATA_DIR"):
        load_secret(settings(tmp_path / "file"))


def test_a_strong_secret_that_is_given_is_used(tmp_path: Path) -> None:
    assert load_secret(settings(tmp_path, secret=STRONG)) == STRONG.encode()
    assert list(tmp_path.iterdir()) == []


def test_a_weak_one_is_not_used_and_that_is_logged_without_it(tmp_path: Path) -> None:
    with capture_logs() as logged:
        secret = load_secret(settings(tmp_path, secret="changeme"))

    assert secret == (tmp_path / "secret.key").read_text().strip().encode()
    assert [line["event"] for line in logged] == ["weak_secret_not_used"]
    assert "changeme" not in str(logged)


# --- everywhere else ------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", ["test", "staging", "production"])
def test_a_secret_is_demanded(tmp_path: Path, environment: str) -> None:
    with pytest.raises(ConfigurationError, match=r"is missing.*token_urlsafe\(48\)"):
        load_secret(settings(tmp_path, environment))

    assert list(tmp_path.iterdir()) == []
    assert load_secret(settings(tmp_path, environment, STRONG)) == STRONG.encode()


@pytest.mark.parametrize("weak", WEAK)
def test_a_weak_secret_is_refused_and_not_repeated(tmp_path: Path, weak: str) -> None:
    with pytest.raises(ConfigurationError, match="FAMULUS_SECRET_KEY") as caught:
        load_secret(settings(tmp_path, "production", weak))

    assert weak not in caught.value.detail


def test_what_we_tell_people_to_make_is_strong() -> None:
    for _ in range(500):
        assert weakness(secrets.token_urlsafe(48)) is None
        assert weakness(secrets.token_hex(32)) is None
        assert weakness(secrets.token_urlsafe(24)) is None


# --- what is made of it ---------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "sk-123", "Grüße 🚀 " * 1000])
def test_what_is_encrypted_can_be_read_again(text: str) -> None:
    sealed = Vault(STRONG.encode()).encrypt(text, "tool_1")

    assert sealed.isascii()
    assert sealed.startswith("v1.")
    assert "sk-123" not in sealed
    assert Vault(STRONG.encode()).decrypt(sealed, "tool_1") == text


def test_the_same_text_is_never_sealed_alike() -> None:
    vault = Vault(STRONG.encode())

    assert len({vault.encrypt("x", "y") for _ in range(100)}) == 100


def test_another_secret_or_context_opens_nothing() -> None:
    sealed = Vault(STRONG.encode()).encrypt("x", "tool_1")

    with pytest.raises(Unreadable):
        Vault(STRONG.encode()).decrypt(sealed, "tool_2")
    with pytest.raises(Unreadable):
        Vault(STRONG.encode() + b"!").decrypt(sealed, "tool_1")


def test_no_changed_value_opens() -> None:
    vault = Vault(STRONG.encode())
    sealed = vault.encrypt("hello", "tool_1")
    changed = [
        sealed[:n] + ("A" if sealed[n] != "A" else "B") + sealed[n + 1 :] for n in range(len(sealed) - 2)
    ]

    for value in [
        *changed,
        "",
        "v1.",
        "v1.AAAA",
        sealed[:-4],
        "v2." + sealed[3:],
        sealed + "\n",
        "v1.ä",
        "plain",
    ]:
        with pytest.raises(Unreadable):
            vault.decrypt(value, "tool_1")


def test_keys_of_different_purposes_differ() -> None:
    keys = {derive_key(STRONG.encode(), purpose) for purpose in ("a", "b", "vault v1")}

    assert {len(key) for key in keys} == {32}
    assert len(keys) == 3


def test_a_digest_is_sha_256() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
