"""The installation's one secret and what is made of it: keys by purpose, and values that only we can read.

On somebody's own machine the secret makes itself, in a file only its owner can read. Everywhere else it has to be given
and to be strong: who knows it can read every stored credential.
"""

import base64
import binascii
import hashlib
import os
import re
import secrets
import stat
from functools import cached_property
from pathlib import Path

import structlog

from famulus.kernel.errors import ConfigurationError, FamulusError
from famulus.kernel.settings import Settings

FILE = "secret.key"
LENGTH = 32
REMEDY = (
    'Make one with `python -c "import secrets; print(secrets.token_urlsafe(48))"`'
    " and set FAMULUS_SECRET_KEY to what it prints."
)
WORDS = re.compile(
    "abcdefghijklmnopqrstuvwxyz|0123456789|1234567890"
    "|change|secret|example|famulus|password|default|please|random|string|production|replace|insecure|testing"
    "|your|this|that|with|some|here|must|long|very|super|django|flask|token|value|before|least|characters"
    "|test|key|jwt|the|for|not|use|dev|abc|me"
)
"""What example secrets are made of; a real one has enough left without them."""
VERSION = "v1."
NONCE = 12
log = structlog.get_logger(__name__)


class Unreadable(FamulusError):
    """A stored secret cannot be read: FAMULUS_SECRET_KEY was changed, or the value was; enter the secret again."""

    code, title = "secret_unreadable", "Stored secret unreadable"


def load_secret(settings: Settings) -> bytes:
    """The installation's secret; raises ConfigurationError with what to do when there is none that is safe."""
    given = settings.secret_key.get_secret_value() if settings.secret_key else None
    problem = weakness(given) if given else "is missing"
    if given and problem is None:
        return given.encode()
    if not settings.local:
        raise ConfigurationError(
            f"FAMULUS_SECRET_KEY {problem}, and APP_ENV is {settings.environment}. {REMEDY}"
        )
    if given:
        log.warning("weak_secret_not_used", problem=problem, used_instead=FILE)
    return _from_file(settings.data_dir / FILE)


def weakness(secret: str) -> str | None:
    """Why a secret is none, as the end of a sentence that begins with its name; None for a good one."""
    if len(secret) < LENGTH:
        return f"has fewer than {LENGTH} characters"
    if len(set(secret)) < 8 or (secret * 2).find(secret, 1) < len(secret):
        return "repeats itself"
    if len(re.sub(r"[\W_]", "", WORDS.sub("", secret.lower()))) < LENGTH // 2:
        return "is an example that others know"
    return None


def digest(token: str) -> str:
    """What is stored of a random token: its SHA-256 in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def derive_key(secret: bytes, purpose: str) -> bytes:
    """A 32 byte key for one purpose; keys of different purposes tell nothing about one another."""
    from cryptography.hazmat.primitives.hashes import SHA256  # lazy: see Vault
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # lazy: see Vault

    return HKDF(SHA256(), 32, salt=None, info=f"famulus {purpose}".encode()).derive(secret)


class Vault:
    """Encrypts what has to be stored and read again, such as the credentials of a tool's server."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @cached_property
    def _cipher(self):
        # lazy: takes 7 MB, for what is rarely needed
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(derive_key(self._secret, "vault v1"))

    def encrypt(self, text: str, context: str) -> str:
        """`text` as ASCII that opens only with the same `context`, such as the id of the row it belongs to."""
        nonce = os.urandom(NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), context.encode())
        return VERSION + base64.urlsafe_b64encode(sealed).decode()

    def decrypt(self, sealed: str, context: str) -> str:
        """What was encrypted; raises Unreadable with another secret, another context or a changed value."""
        from cryptography.exceptions import InvalidTag  # lazy: see Vault

        if not sealed.startswith(VERSION):
            raise Unreadable()
        try:
            raw = base64.b64decode(sealed.removeprefix(VERSION), altchars=b"-_", validate=True)
            return self._cipher.decrypt(raw[:NONCE], raw[NONCE:], context.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise Unreadable() from error


def vault_of(settings: Settings) -> Vault:
    """The installation's vault, for what is rarely stored. Raises ConfigurationError as `load_secret` does."""
    return Vault(load_secret(settings))


def _from_file(path: Path) -> bytes:
    """The secret of the data folder, made now if there is none."""
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigurationError(f"{path} can be read by others. Run `chmod 600 {path}`.")
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read or made ({type(error).__name__}). Make its folder writable for this user,"
            " or name another in FAMULUS_DATA_DIR."
        ) from error
    if weakness(secret):
        raise ConfigurationError(
            f"{path} is damaged. Put it back from a backup; without it stored credentials are lost. If nothing"
            " is stored yet, delete it and another is made."
        )
    return secret.encode()


def _make(path: Path) -> None:
    """Write a new secret whole or not at all; of several processes that try, one wins and all use its file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(descriptor)
        os.link(unfinished, path)  # unlike a rename it never replaces what another process has made
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
