"""What comes of asking an address: its answer, or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass

from famulus.kernel.errors import BadRequest, Unavailable


class OutboundRefused(BadRequest):
    """This address may not be asked from here."""

    code, title = "outbound_refused", "Address refused"


class OutboundTooLarge(BadRequest):
    """The answer of that address is larger than is accepted."""

    code, title = "outbound_too_large", "Answer too large"


class OutboundFailed(Unavailable):
    """That address did not give a usable answer."""

    code, title = "outbound_failed", "No answer"


class OutboundUnreached(OutboundFailed):
    """That address could not be reached, so nothing was sent to it."""

    code = "outbound_unreached"


@dataclass(frozen=True, slots=True)
class Response:
    """What an address answered, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """By name in any case; of repeated ones the first."""
    body: bytes
    """Decompressed."""
    url: str
    """Where it came from, after redirects."""
