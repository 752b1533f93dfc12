"""MCP servers at work: looked at when a connection is made, and each approved tool as one that calls it.

    look ──▶ catalogue, kept ──▶ an admin approves pins ──▶ tools, made of what was kept
                                                            a call: a conversation of its own

A tool is offered as it was approved, whatever its server says of it since.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from famulus.identity.principal import Principal
from famulus.kernel.http import Outbound
from famulus.kernel.openapi_document import Node, listed, node, text_of
from famulus.kernel.text import visible_text
from famulus.tools.arguments import SECRET_NAME, as_schema
from famulus.tools.contract import Done, Effect, Json, OutcomeUnknown, Preview, Tool, ToolContext, ToolFailed
from famulus.tools.credentials import Credentials, SignIn
from famulus.tools.links import AskerAuth, Found, HeaderAuth, Link, NoAuth, Problem
from famulus.tools.mcp.catalogue import Catalogue, Offered, kept, read_tools, replaced, written
from famulus.tools.mcp.http_wire import HttpWire
from famulus.tools.mcp.stdio_wire import StdioWire
from famulus.tools.mcp.talking import INTERNAL, Era, Refused, Talk, Wire, WireBroken
from famulus.tools.openapi.answers import bounded
from famulus.tools.openapi.toolset import checker

TIMEOUT = 30.0
LOOK = 30.0
"""Seconds that a look may take altogether."""
DESCRIPTION = 1_000
NAME = 64
SHOWN_ERROR = 600
_NO_NAME = str.maketrans("./-", "___")
SWITCHED_OFF = "Programs are not started here. The operator can allow it with FAMULUS_MCP_STDIO."
NO_ASKERS = "An MCP server is not given the tokens of those who ask; use another way to sign in."
NO_ENVIRONMENT = "A program gets its secret as `header`: the name is that of an environment variable."


class Mcp:
    """Connections of the kind `mcp`."""

    def __init__(
        self, outbound: Outbound, credentials: Credentials, *, stdio: bool = False, timeout: float = TIMEOUT
    ) -> None:
        self._outbound = outbound
        self._credentials = credentials
        self._stdio = stdio
        self._timeout = timeout

    async def look(self, link: Link) -> Found:
        """See what the server offers. Raises Problem."""
        try:
            async with asyncio.timeout(LOOK), self._talk(link, None) as talk:
                await talk.talk.begin()
                said = await talk.talk.tools()
                era: Era = talk.talk.era or "before"
        except ToolFailed as error:
            raise Problem(str(error)) from error.__cause__
        except TimeoutError as error:
            raise Problem(f"The server did not answer within {LOOK:g} seconds.") from error
        except (Refused, WireBroken) as error:
            raise Problem(f"The server cannot be used: {error}"[:500]) from error.__cause__
        tools, left_out = read_tools(said)
        names = [name for name, _ in _named(link, tools)]
        return Found(written(Catalogue(era, tuple(tools))), names, tuple(left_out))

    async def tools(self, link: Link) -> Sequence[Tool]:
        """What was last found there and is approved as it was found. Raises Problem."""
        if link.command is not None and not self._stdio:
            raise Problem(SWITCHED_OFF)
        catalogue = kept(link.document)
        if catalogue is None:
            return ()
        approved = [each for each in catalogue.tools if link.approved.get(each.name) == each.pin]
        made = (self._tool(link, name, each, catalogue.era) for name, each in _named(link, approved))
        return [tool for tool in made if tool is not None]

    def _tool(self, link: Link, name: str, offered: Offered, era: Era) -> Tool | None:
        check = checker(offered.schema)
        if check is None:
            return None
        effect = link.effect(offered.name, offered.effect)
        return Tool(
            name=name,
            description=_description(link, offered),
            parameters=as_schema(offered.schema),
            effect=effect,
            place="outside",
            check=check,
            act=partial(self._call, _Target(link, offered.name, effect, era)),
            preview=partial(_foresee, link, offered),
            timeout=self._timeout,
            secrets=frozenset(
                each for each in node(offered.schema["properties"]) if SECRET_NAME.search(each)
            ),
            source=link.id,
        )

    async def _call(self, target: "_Target", context: ToolContext, given: Json) -> Done:
        link, effect = target.link, target.effect
        title = f"{target.own} of {link.name}"
        sent = False
        try:
            # Before the call's own end, with a word of why.
            async with (
                asyncio.timeout(self._timeout * 0.95),
                self._talk(link, context.principal, target.era) as talk,
            ):
                await talk.talk.begin()
                sent = True
                answer = await talk.talk.call(target.own, given)
                # An answer of megabytes takes a while to look through.
                return await asyncio.to_thread(_done, title, answer, talk.signed)
        except TimeoutError as error:
            raise _ended(title, "it took too long", unknown=sent and effect != "reads") from error
        except WireBroken as error:
            unknown = sent and error.reached and effect != "reads"
            raise _ended(title, str(error), unknown=unknown) from error
        except Refused as error:
            broke = error.code == INTERNAL or -600 < error.code <= -500
            raise _ended(title, str(error), unknown=sent and broke and effect != "reads") from error

    @asynccontextmanager
    async def _talk(
        self, link: Link, principal: Principal | None, era: Era | None = None
    ) -> AsyncGenerator["_Talking"]:
        """A conversation that is ended with the block."""
        auth = self._credentials.auth(link)
        if isinstance(auth, AskerAuth):
            raise ToolFailed(NO_ASKERS)
        wire: Wire
        if link.command is not None:
            if not self._stdio:
                raise ToolFailed(SWITCHED_OFF)
            if not isinstance(auth, HeaderAuth | NoAuth):
                raise ToolFailed(NO_ENVIRONMENT)
            signed = await self._credentials.sign_in(link, principal)
            wire = StdioWire(link.command, signed.headers, seconds=self._timeout)
        else:
            signed = await self._credentials.sign_in(link, principal)
            wire = HttpWire(self._outbound, link.url or "", signed.headers, seconds=self._timeout)
        try:
            yield _Talking(Talk(wire, era), signed)
        finally:
            if isinstance(wire, HttpWire) and wire.refused:
                self._credentials.refused(link)
            await wire.close()


@dataclass(frozen=True, slots=True)
class _Target:
    """What a tool calls."""

    link: Link
    own: str
    """The server's name for it."""
    effect: Effect
    era: Era


@dataclass(frozen=True, slots=True)
class _Talking:
    talk: Talk
    signed: SignIn


def _done(title: str, result: Node, signed: SignIn) -> Done:
    """What a tool answered. Raises ToolFailed where it says that it failed."""
    # Secrets first, before one could be cut; then the rest, of what is left.
    content = bounded(replaced(bounded(replaced(_content(result), signed.without_secrets)), visible_text))
    if result.get("isError") is True:
        said = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        raise ToolFailed(f"{title} failed: {said[:SHOWN_ERROR]}")
    return Done(f"{title} answered.", content)


def _content(result: Node) -> Any:
    """What of an answer a model can read: its values, else its texts, with a word for what is no text."""
    structured = result.get("structuredContent")
    if structured is not None:
        return structured
    parts = [_part(node(each)) for each in listed(result.get("content"))]
    if len(parts) != 1:
        return "\n\n".join(parts)
    try:
        return json.loads(parts[0])
    except (ValueError, RecursionError):
        return parts[0]


def _part(part: Node) -> str:
    match part.get("type"):
        case "text":
            return text_of(part.get("text"))
        case "resource":
            resource = node(part.get("resource"))
            return text_of(resource.get("text")) or f"[a file: {text_of(resource.get('uri'))[:300]}]"
        case "resource_link":
            return f"[a link: {text_of(part.get('name'))[:200]} {text_of(part.get('uri'))[:300]}]"
        case kind:
            return f"[left out: {text_of(kind)[:40] or 'something'}]"


def _ended(title: str, why: str, *, unknown: bool) -> Exception:
    why = why.rstrip(".")
    if unknown:
        return OutcomeUnknown(f"{title} was asked, but: {why}. Whether it was done is not known.")
    return ToolFailed(f"{title} could not be used: {why}.")


async def _foresee(link: Link, offered: Offered, _context: ToolContext, given: Json) -> Preview:
    place = link.command[0] if link.command else urlsplit(link.url or "").netloc
    return Preview(f"{offered.title or offered.name} at {visible_text(place)}", given)


def _description(link: Link, offered: Offered) -> str:
    said = offered.description[:DESCRIPTION].strip() or offered.title
    return f"{said} (of {link.name})" if said else f"{offered.name} of {link.name}"


def _named(link: Link, tools: Sequence[Offered]) -> list[tuple[str, Offered]]:
    """The tools that may be used, by names that begin with the connection's, so that none stands for another's."""
    named: dict[str, Offered] = {}
    for each in tools:
        if not link.allows(each.name):
            continue
        own = each.name.translate(_NO_NAME)
        name = link.tool_name(own)
        if name in named or own != each.name or len(link.name) + 1 + len(own) > NAME:
            name = f"{name[: NAME - 7]}_{hashlib.sha256(each.name.encode()).hexdigest()[:6]}"
        named[name] = each
    return list(named.items())


def listing(document: str | None) -> list[Offered]:
    """Everything that was last found at a server."""
    catalogue = kept(document)
    return list(catalogue.tools) if catalogue else []
