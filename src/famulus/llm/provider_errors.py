"""From what a provider says when it fails to our own errors: by HTTP status, by error code, by wording.

Providers agree on the statuses and on little else: the error may be an object, a text, or the whole body,
and it may arrive inside a stream that began with 200.
"""

import re
import time
from email.utils import parsedate_to_datetime
from typing import Literal

import msgspec
from msgspec import Struct

from famulus.llm import errors

EXCERPT = 300
"""Characters of a provider's own words that we pass on."""

_TOO_LONG = re.compile(
    r"context.?(length|limit|window|size)|maximum context|too many (input )?tokens|prompt (is )?too long|"
    r"exceeds? the (available |model'?s? )?(context|maximum)|reduce the length",
    re.IGNORECASE,
)
_QUOTA = re.compile(
    r"insufficient.?(quota|balance|credit|funds)|billing|exceeded your current quota", re.IGNORECASE
)
_EFFORT = re.compile(
    r"reasoning[._ ]?(effort|summar|content|\.?encrypted)|encrypted.content|\bthink(ing)?\b|budget_tokens|"
    r"output_config|\beffort\b",
    re.IGNORECASE,
)
_BROKE = re.compile(r"credit balance is too low", re.IGNORECASE)
_KEYISH = re.compile(
    r"\b(?:sk|pk|key|api|rk|gsk|xai|hf)[-_][\w*-]{4,}|\bbearer\s+\S+|\b[A-Za-z0-9_*-]{32,}\b", re.IGNORECASE
)

_STATUS_OF_WORD = {
    "invalid_api_key": 401,
    "authentication_error": 401,
    "permission_error": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "notfounderror": 404,
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "exceed_context_size_error": 413,
    "context_length_exceeded": 413,
    "request_too_large": 413,
    "insufficient_quota": 402,
    "billing_error": 402,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "overloaded_error": 503,
    "timeout": 504,
    "timeout_error": 504,
}


class ProviderMessage(Struct, frozen=True):
    """What a provider said about its failure, as far as it could be read."""

    text: str = ""
    word: str = ""
    """Its error code or type, in lower case."""
    status: int | None = None
    """The HTTP status it names in the body, for errors inside a stream."""


class _Error(Struct):
    message: str | None = None
    detail: object = None
    code: str | int | None = None
    type: str | None = None
    object: str | None = None


class _Body(Struct):
    error: _Error | str | None = None


def read_message(body: bytes) -> ProviderMessage:
    """The provider's words in an error body of any customary shape; empty when there are none."""
    try:
        outer = msgspec.json.decode(body, type=_Body).error
        if isinstance(outer, str):
            return ProviderMessage(text=outer)
        error = outer or msgspec.json.decode(body, type=_Error)
    except (ValueError, RecursionError):
        return ProviderMessage()
    text = error.message or (error.detail if isinstance(error.detail, str) else "")
    words = [str(word).lower() for word in (error.code, error.type) if word]
    known = next((word for word in words if word in _STATUS_OF_WORD), "")
    status = next((int(word) for word in words if re.fullmatch("[45][0-9][0-9]", word)), None)
    return ProviderMessage(text, known or (words[0] if words else ""), status)


def excerpt(text: str, secret: str | None) -> str:
    """`text` on one line, without `secret` or what looks like a key, at most `EXCERPT` characters."""
    if secret:
        text = text.replace(secret, "…")
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: EXCERPT * 4]).split())
    line = _KEYISH.sub("…", line)
    return line if len(line) <= EXCERPT else line[: EXCERPT - 1] + "…"


def retry_after(header: str | None) -> float | None:
    """Seconds that a `Retry-After` header asks for, as a number or a date; None when it cannot be read."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if seconds < 1e9 else None


def error_for(
    status: int,
    *,
    model: str,
    message: ProviderMessage | None = None,
    secret: str | None = None,
    wait: float | None = None,
    address_setting: str = "FAMULUS_MODEL_BASE_URL",
) -> errors.ModelError:
    """Our error for HTTP `status`, sharpened by what the provider said.

    `wait`: its Retry-After, seconds; `address_setting`: what holds the server's address.
    """
    said = message or ProviderMessage()
    match _kind(status, f"{said.word} {said.text}"):
        case "key" | "long" | "quota" | "timeout" as kind:
            return _PLAIN[kind]()
        case "missing":
            return errors.ModelNotFound(
                f"The model's server does not know “{model}”; the operator must check its name and address."
            )
        case "rate":
            return errors.ModelRateLimited(retry_after=wait)
        case "refused":
            quoted = excerpt(said.text, secret)
            return errors.ModelRequestRefused(
                f"The model's server did not accept the request and said: “{quoted}”." if quoted else None
            )
        case "effort":
            return errors.ModelEffortRefused(
                f"“{model}” does not think as it was asked to; set another reasoning_effort in the assistant or the "
                "request, or FAMULUS_REASONING_EFFORT for all, or leave it out. "
                f"Its server said: “{excerpt(said.text, secret)}”."
            )
        case "redirect":
            return errors.ModelNonsense(
                f"The model's server redirects; the operator must set {address_setting} to the target."
            )
        case "down":
            return errors.ModelUnavailable(retry_after=wait)


_Kind = Literal["key", "missing", "long", "quota", "rate", "timeout", "refused", "effort", "redirect", "down"]

_PLAIN = {
    "key": errors.ModelKeyRefused,
    "long": errors.ModelContextTooLong,
    "quota": errors.ModelQuotaExhausted,
    "timeout": errors.ModelTimeout,
}
_KINDS: dict[int, _Kind] = {
    401: "key",
    402: "quota",
    403: "key",
    404: "missing",
    408: "timeout",
    410: "missing",
    413: "long",
    504: "timeout",
}


def _kind(status: int, words: str) -> _Kind:
    # Some servers answer 500 to what cannot fit, so the wording counts before the status does.
    if status in (400, 422, 500) and _TOO_LONG.search(words):
        return "long"
    if status == 400 and _BROKE.search(words):
        return "quota"
    if status == 429:
        return "quota" if _QUOTA.search(words) else "rate"
    if kind := _KINDS.get(status):
        return kind
    if 300 <= status < 400:
        return "redirect"
    if status in (400, 422) and _EFFORT.search(words):
        return "effort"
    return "refused" if 400 <= status < 500 else "down"


def error_in_stream(body: bytes, *, model: str, secret: str | None) -> errors.ModelError:
    """Our error for one that arrived as an event of a stream, or as a whole body with status 200."""
    message = read_message(body)
    status = message.status or _STATUS_OF_WORD.get(message.word, 500)
    return error_for(status, model=model, message=message, secret=secret)
