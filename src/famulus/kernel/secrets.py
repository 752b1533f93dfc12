"""The server's one secret, and what is derived from it: encryption of secrets at rest.

On somebody's own machine the secret makes itself; anywhere else the server does not start without a strong one.
"""

import base64
import os
import re
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from famulus.kernel.errors import ConfigurationError, FamulusError
from famulus.kernel.settings import Settings

LENGTH = 32
"""The least number of characters of a secret."""
MAKE_ONE = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
_KNOWN = re.compile(
    r"change.?me|your.?secret|example|password|secret.?key|insecure|famulus|default", re.IGNORECASE
)
_VERSION = "v1."


class SecretUnreadable(FamulusError):
    """A stored secret cannot be decrypted: FAMULUS_SECRET_KEY is not the one it was stored with."""

    code = "secret_unreadable"


def load_secret(settings: Settings) -> bytes:
    """The server's secret; raises ConfigurationError with what to do where there is none that will do."""
    if settings.secret_key is not None:
        return _strong(settings.secret_key.get_secret_value()).encode()
    if not settings.local:
        raise ConfigurationError(
            f"FAMULUS_SECRET_KEY is needed where APP_ENV is {settings.environment}. {MAKE_ONE}"
        )
    return _own_secret(settings.data_dir / "secret.key")


def _strong(secret: str) -> str:
    if len(secret) < LENGTH:
        raise ConfigurationError(f"FAMULUS_SECRET_KEY has fewer than {LENGTH} characters. {MAKE_ONE}")
    if len(set(secret)) < 10 or _KNOWN.search(secret):
        raise ConfigurationError(f"FAMULUS_SECRET_KEY looks like an example, which others know. {MAKE_ONE}")
    return secret


def _own_secret(path: Path) -> bytes:
    """The development secret in the data folder, made by whoever comes first and readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    if not path.exists():
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secrets.token_urlsafe(48))
        try:
            os.link(unfinished, path)
        except FileExistsError:
            pass  # another process was first; its secret is the one
        unfinished.unlink()
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"{path} can be read by others; run: chmod 600 {path}")
    return _strong(path.read_text().strip()).encode()


class Vault:
    """Encrypts what must be stored but never shown (AES-256-GCM, a fresh nonce each time)."""

    def __init__(self, secret: bytes) -> None:
        key = HKDF(SHA256(), 32, salt=None, info=b"famulus secrets at rest").derive(secret)
        self._cipher = AESGCM(key)

    def encrypt(self, text: str, context: str) -> str:
        """Encrypted text that only decrypts under the same `context`, such as the row and column it belongs to."""
        nonce = secrets.token_bytes(12)
        sealed = self._cipher.encrypt(nonce, text.encode(), context.encode())
        return _VERSION + base64.urlsafe_b64encode(nonce + sealed).decode()

    def decrypt(self, sealed: str, context: str) -> str:
        """The text again; raises SecretUnreadable under another key or context, or when it was tampered with."""
        try:
            raw = base64.urlsafe_b64decode(sealed.removeprefix(_VERSION))
            return self._cipher.decrypt(raw[:12], raw[12:], context.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise SecretUnreadable() from error
