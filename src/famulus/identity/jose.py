"""Public keys and the signatures made with their other halves (RFC 7515, RFC 7517), by joserfc.

Nothing else here imports it: it loads cryptography.
"""

from typing import Any

from joserfc import jwk, jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

LONGEST_HEADER = 16_384


class PublicKey:
    """What only its issuer can sign with. A symmetric key is never one, wherever it is found."""

    def __init__(self, key: RSAKey | ECKey | OKPKey) -> None:
        self._key = key
        self.kind: str = key.key_type
        self.kid: str | None = key.kid
        self.use: object = key.get("use")
        self.algorithm: object = key.get("alg")

    def verifies(self, token: str, algorithm: str) -> bool:
        """Whether it has signed a token in its compact form, by this algorithm and no other."""
        registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        registry.max_header_length = LONGEST_HEADER
        try:
            jws.deserialize_compact(token, self._key, registry=registry)
        except (JoseError, ValueError, TypeError):
            return False
        return True


def read_key(value: Any) -> PublicKey | None:
    """The key of one entry of a key set; None where it is none that can be used here."""
    try:
        key = jwk.import_key(value)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return PublicKey(key) if isinstance(key, RSAKey | ECKey | OKPKey) else None
