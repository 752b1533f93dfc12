"""Pages of other sites that may ask here (CORS, in the Fetch standard): those that the operator has named.

Such a page sends a token of its own. A cookie of ours would go along with whatever any site makes a browser send, so
the answers never say that one may be used.
"""

from collections.abc import Collection, Mapping

from starlette.responses import Response

Header = tuple[bytes, bytes]
METHODS = b"GET, POST, PUT, PATCH, DELETE"
SENT = (
    b"accept, accept-language, authorization, chatkit-frame-instance-id, content-type, idempotency-key, last-event-id,"
    b" x-api-key, x-request-id"
)
"""Headers that a page may send."""
SEEN = b"idempotent-replay, retry-after, x-request-id, x-run-id, x-thread-id"
"""Headers of an answer that a page gets to see."""
REMEMBERED = b"600"
"""Seconds for which a browser need not ask again."""


class Cors:
    """The origins that may ask."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)

    def headers(self, sent: Mapping[bytes, bytes]) -> list[Header]:
        """What an answer says to the page that asked; nothing to a page that may not."""
        if not self._origins:
            return []
        origin = sent.get(b"origin", b"")
        if origin not in self._origins:
            return [(b"vary", b"origin")]
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", SEEN),
            (b"vary", b"origin"),
        ]

    def preflight(self, method: str, sent: Mapping[bytes, bytes]) -> Response | None:
        """The answer to a browser that asks whether a page may ask; None for anything else."""
        asks = method == "OPTIONS" and b"access-control-request-method" in sent
        if not asks or sent.get(b"origin", b"") not in self._origins:
            return None
        response = Response(status_code=204)
        response.raw_headers += [
            (b"access-control-allow-methods", METHODS),
            (b"access-control-allow-headers", SENT),
            (b"access-control-max-age", REMEMBERED),
        ]
        return response
