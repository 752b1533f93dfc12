"""The wire over HTTP: one request for each message, to checked addresses only, bounded in bytes and in time.

The answer is JSON, or a stream of events of which only the answer is taken; then the stream is closed, whether it would
have ended or not. No address that a server names is ever asked, to sign in or for anything else.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from famulus.kernel.http import BY_A_TOOL, Outbound
from famulus.kernel.http_answers import (
    OutboundFailed,
    OutboundRefused,
    OutboundTooLarge,
    OutboundUnreached,
    Response,
)
from famulus.kernel.openapi_document import Node, node, text_of
from famulus.kernel.text import visible_text
from famulus.tools.mcp.talking import INTERNAL, Era, Refused, WireBroken

MAX_ANSWER = 5_000_000
"""Bytes of one answer, whatever else its stream holds included."""
GOODBYE = 2.0
"""Seconds."""
SESSION = "Mcp-Session-Id"
_SESSION_ID = re.compile(r"[\x21-\x7e]{1,500}")
_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE = re.compile(rb"\r\n|\n|\r")
_decode = msgspec.json.Decoder().decode


class HttpWire:
    """A server at an address."""

    first: Era = "today"

    def __init__(self, outbound: Outbound, url: str, sign_in: Mapping[str, str], *, seconds: float) -> None:
        self._outbound = outbound
        self._url = url
        self._sign_in = sign_in
        self._seconds = seconds
        self._session: str | None = None
        self._number = 0
        self.refused = False
        """Whether the server has not taken the sign-in."""

    async def ask(self, method: str, params: Node, headers: Mapping[str, str]) -> Node:
        """See `Wire`."""
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        waiting = Waiting(self._number)
        answer = await self._send(message, headers, waiting)
        if method == "initialize":
            given = answer.headers.get(SESSION, "")
            self._session = given if _SESSION_ID.fullmatch(given) else None
        return result_in(waiting.found or self._read(answer, waiting), answer.status)

    async def tell(self, method: str, headers: Mapping[str, str]) -> None:
        """See `Wire`."""
        answer = await self._send({"jsonrpc": "2.0", "method": method}, headers, None)
        if answer.status >= 300:
            raise WireBroken(f"It answered {answer.status} to {method}.")

    async def close(self) -> None:
        """See `Wire`."""
        if self._session is None:
            return
        try:
            await self._outbound.fetch(
                self._url,
                method="DELETE",
                headers=self._headers({}),
                timeout=GOODBYE,
                max_bytes=10_000,
                redirects=0,
            )
        except (OutboundFailed, OutboundRefused, OutboundTooLarge):
            pass  # it forgets the session by itself, or not

    async def _send(self, message: Node, headers: Mapping[str, str], waiting: "Waiting | None") -> Response:
        try:
            answer = await self._outbound.fetch(
                self._url,
                method="POST",
                headers=self._headers(headers),
                body=msgspec.json.encode(message),
                max_bytes=MAX_ANSWER,
                timeout=self._seconds,
                redirects=0,
                until=waiting and waiting.look,
            )
        except OutboundTooLarge as error:
            raise WireBroken(f"Its answer has more than the {MAX_ANSWER:,} bytes that are taken.") from error
        except (OutboundUnreached, OutboundRefused) as error:
            raise WireBroken(error.detail, reached=False) from error
        except OutboundFailed as error:
            raise WireBroken(error.detail) from error
        if answer.status == 401:
            self.refused = True
            raise WireBroken(
                "It did not take the sign-in; look at the connection's credentials.", reached=False
            )
        if 300 <= answer.status < 400:
            raise WireBroken(
                f"It answered {answer.status}, a redirect, which is not followed.", reached=False
            )
        return answer

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        session = {SESSION: self._session} if self._session else {}
        return {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            BY_A_TOOL: "1",
            **more,
            **session,
            **self._sign_in,
        }

    def _read(self, answer: Response, waiting: "Waiting") -> Node:
        """The answer in a body that has ended."""
        kind = answer.headers.get("Content-Type", "").lower()
        if kind.startswith("text/event-stream"):
            waiting.look(bytearray(answer.body + b"\n\n"))
            found = waiting.found
        else:
            found = message_in(answer.body)
        if found is not None:
            return found
        if answer.status >= 400:
            raise Refused(-answer.status, f"It answered {answer.status}.")
        raise WireBroken("It gave no answer that the protocol knows.")


class Waiting:
    """Looks through a stream of events, as it grows, for the answer to one request."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._seen = 0
        self.found: Node | None = None

    def look(self, body: bytearray) -> bool:
        """Whether the answer has come."""
        while end := _END.search(body, self._seen):
            event = bytes(body[self._seen : end.start()])
            self._seen = end.end()
            message = message_in(_data(event))
            if message is not None and message.get("id") == self._number and "method" not in message:
                self.found = message
                return True
        return False


def _data(event: bytes) -> bytes:
    lines = [line[5:].removeprefix(b" ") for line in _LINE.split(event) if line.startswith(b"data:")]
    return b"\n".join(lines)


def message_in(text: bytes) -> Node | None:
    """The message that a text is; None for what is none."""
    try:
        value: Any = _decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    return cast(Node, value) if isinstance(value, dict) else None


def result_in(message: Node, status: int = 200) -> Node:
    """The result in an answer. Raises Refused for an error, WireBroken for what is no answer."""
    if "error" in message:
        error = node(message["error"])
        code = error.get("code")
        said = visible_text(text_of(error.get("message")))[:300]
        raise Refused(code if isinstance(code, int) else INTERNAL, said or "It answered with an error.")
    if "result" not in message or status >= 400:
        raise WireBroken("It gave no answer that the protocol knows.")
    return node(message["result"])
