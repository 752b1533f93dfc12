"""OpenAPI documents at work: looked at when a connection is made, and each operation as a tool that calls it."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

from famulus.kernel.errors import FamulusError
from famulus.kernel.http import BY_A_TOOL, REDIRECTS, Outbound
from famulus.kernel.http_answers import OutboundFailed, OutboundRefused, OutboundTooLarge
from famulus.kernel.openapi_document import MAX_DOCUMENT, BadDocument, Node, listed, node, read_document
from famulus.kernel.openapi_schemas import Method
from famulus.kernel.text import visible_text
from famulus.tools.arguments import SECRET_NAME, SHOWN_PROBLEMS, as_schema
from famulus.tools.contract import Done, Effect, Json, Preview, Retry, Tool, ToolContext, ToolFailed
from famulus.tools.credentials import Credentials
from famulus.tools.links import Auth, Found, HeaderAuth, Link, NoAuth, Problem
from famulus.tools.openapi.answers import result_of, without_answer
from famulus.tools.openapi.operations import Described, Operation, describe
from famulus.tools.openapi.wire import written

TIMEOUT = 30.0
DESCRIPTION = 1_000
NAME = 64
MESSAGE = 200
BACKTRACKS = 10_000
"""Steps back that a document's pattern may take: some would otherwise never end."""
EFFECTS: dict[Method, Effect] = {"get": "reads", "head": "reads", "options": "reads", "delete": "destroys"}
"""What a method does; every other writes."""


class OpenApi:
    """Connections of the kind `openapi`."""

    def __init__(self, outbound: Outbound, credentials: Credentials, *, timeout: float = TIMEOUT) -> None:
        self._outbound = outbound
        self._credentials = credentials
        self._timeout = timeout

    async def look(self, link: Link) -> Found:
        """Fetch the document, or take the one that was handed in, and read it. Raises Problem."""
        try:
            if self._auth_kind(link) != "asker":
                await self._credentials.sign_in(link, None)
        except ToolFailed as error:
            raise Problem(str(error)) from error.__cause__
        text = await self._fetch(link, link.url) if link.url is not None else link.document or ""
        described = await asyncio.to_thread(self._described, link, text)
        names = [each.id for each in described.operations if link.allows(each.id)]
        return Found(text, [name for name, _ in _named(link, names)], described.left_out)

    async def tools(self, link: Link) -> Sequence[Tool]:
        """The operations of the document that is kept, as tools. Raises Problem."""
        return await asyncio.to_thread(self._tools, link)

    async def _fetch(self, link: Link, url: str) -> str:
        try:
            headers = {"Accept": "application/json, application/yaml;q=0.9, */*;q=0.5", BY_A_TOOL: "1"}
            if _is_for(link, url) and self._auth_kind(link) != "asker":
                headers |= (await self._credentials.sign_in(link, None)).headers
            answer = await self._outbound.fetch(url, headers=headers, max_bytes=MAX_DOCUMENT)
        except FamulusError as error:
            raise Problem(f"The document cannot be fetched: {error.detail}") from error
        if answer.status != 200:
            raise Problem(f"The document cannot be fetched: its address answered {answer.status}.")
        return answer.body.decode("utf-8", "replace")

    def _described(self, link: Link, text: str) -> Described:
        try:
            described = describe(read_document(text), source=link.url, base=link.base_url)
        except BadDocument as error:
            raise Problem(visible_text(str(error))[:500]) from error
        self._check_servers(link, described)
        return described

    def _check_servers(self, link: Link, described: Described) -> None:
        """A fetched document does not decide to whom a secret is shown: its admin does."""
        if link.base_url is not None or link.url is None or isinstance(self._auth(link), NoAuth):
            return
        for each in described.operations:
            if _origin(each.base) != _origin(link.url):
                raise Problem(
                    f"The document names another server, {_origin(each.base)[:200]}. If the credentials are meant for"
                    " it, set it as base_url."
                )

    def _auth_kind(self, link: Link) -> str:
        return str(self._credentials.auth(link).__struct_config__.tag)

    def _auth(self, link: Link) -> Auth:
        try:
            return self._credentials.auth(link)
        except ToolFailed as error:
            raise Problem(str(error)) from error

    def _tools(self, link: Link) -> Sequence[Tool]:
        described = self._described(link, link.document or "")
        auth = self._auth(link)
        own = auth.name.lower() if isinstance(auth, HeaderAuth) else ""
        operations = {each.id: each for each in described.operations if link.allows(each.id)}
        tools: list[Tool] = []
        for name, id in _named(link, list(operations)):
            tool = self._tool(link, name, _without_header(operations[id], own), described.title)
            if tool is not None:
                tools.append(tool)
        return tools

    def _tool(self, link: Link, name: str, operation: Operation, title: str) -> Tool | None:
        check = checker(operation.schema)
        if check is None:
            return None
        effect = link.effect(operation.id, EFFECTS.get(operation.method, "writes"))
        return Tool(
            name=name,
            description=_description(operation, title or link.name),
            parameters=as_schema(operation.schema),
            effect=effect,
            place="outside",
            check=check,
            act=partial(self._call, link, operation, effect),
            preview=partial(_foresee, operation),
            repeatable=operation.knows_keys,
            timeout=self._timeout,
            secrets=frozenset(
                each for each in node(operation.schema["properties"]) if SECRET_NAME.search(each)
            ),
            source=link.id,
        )

    async def _call(
        self, link: Link, operation: Operation, effect: Effect, context: ToolContext, given: Json
    ) -> Done:
        """Call an operation; a sign-in that has ended is made anew, once."""
        request = written(operation, given)
        title = f"{operation.title}"
        reading = operation.method in ("get", "head")
        again = True
        while True:
            signed = await self._credentials.sign_in(link, context.principal)
            headers = {"Accept": "application/json", **request.headers, **signed.headers, BY_A_TOOL: "1"}
            if context.key:
                headers["Idempotency-Key"] = context.key
            try:
                answer = await self._outbound.fetch(
                    request.url,
                    method=operation.method.upper(),
                    headers=headers,
                    body=request.body,
                    timeout=self._timeout * 0.95,  # before the call's own end, with a word of why
                    redirects=REDIRECTS if reading else 0,
                )
            except (OutboundFailed, OutboundRefused, OutboundTooLarge) as error:
                raise without_answer(title, effect, error) from error
            if answer.status == 401 and again and self._credentials.refused(link):
                again = False
                continue
            return result_of(title, effect, answer, signed.without_secrets)


def checker(schema: Node) -> Callable[[Json], Any] | None:
    """Checks arguments by a schema; None for a schema that is none."""
    import jsonschema_rs  # lazy: takes 6 MB, for who has connections

    def build(each: Node) -> Any:
        options = jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACKS)
        return jsonschema_rs.Draft202012Validator(each, pattern_options=options)

    try:
        validator = build(schema)
    except (ValueError, OverflowError):
        try:
            validator = build(_without_patterns(schema))
        except (ValueError, OverflowError):
            return None
    members, required = node(schema["properties"]), listed(schema.get("required"))

    def check(given: Json) -> Json:
        # Models write null for what they leave away.
        meant = {
            name: each
            for name, each in given.items()
            if each is not None or name in required or "null" in str(members.get(name, "null"))
        }
        if problems := [_problem(each) for each in validator.iter_errors(meant)]:
            raise Retry(_told(problems))
        return meant

    return check


def _problem(error: Any) -> str:
    path = [str(each) for each in error.instance_path]
    hidden = bool(path) and SECRET_NAME.search(path[0]) is not None
    message = "is not acceptable" if hidden else str(error.message)[:MESSAGE]
    return f"`{'.'.join(path) or 'arguments'}`: {message}"


def _told(problems: list[str]) -> str:
    more = [f"and {len(problems) - SHOWN_PROBLEMS} more"] if len(problems) > SHOWN_PROBLEMS else []
    listed = "; ".join([*problems[:SHOWN_PROBLEMS], *more])
    return f"The arguments are wrong. {listed}. Mend them and call again."


async def _foresee(operation: Operation, _context: ToolContext, given: Json) -> Preview:
    request = written(operation, given)
    what = visible_text(operation.summary.strip())[:150]
    host = urlsplit(operation.base).netloc
    title = f"{what}: {operation.title} at {host}" if what else f"{operation.title} at {host}"
    return Preview(title, given, notes=(f"Sent to {request.url.partition('?')[0][:300]}.",))


def _description(operation: Operation, title: str) -> str:
    said = [each.strip().rstrip(".") for each in (operation.summary, operation.description) if each.strip()]
    text = ". ".join(dict.fromkeys(said))[:DESCRIPTION]
    return visible_text(
        f"{text}. ({operation.title} of {title})" if text else f"{operation.title} of {title}"
    )


def _without_header(operation: Operation, header: str) -> Operation:
    """The operation without the argument for the header in which the connection signs in."""
    own = {
        each.argument
        for each in operation.arguments
        if (each.place == "header" and each.name.lower() == header) or (each.place == header == "cookie")
    }
    if not own:
        return operation
    schema = {**operation.schema}
    schema["properties"] = {name: each for name, each in schema["properties"].items() if name not in own}
    schema["required"] = [name for name in listed(schema.get("required")) if name not in own]
    kept = tuple(each for each in operation.arguments if each.argument not in own)
    return replace(operation, arguments=kept, schema=schema)


def _without_patterns(value: Any) -> Any:
    match value:
        case dict():
            return {
                key: _without_patterns(each)
                for key, each in node(cast(object, value)).items()
                if not (key == "pattern" and isinstance(each, str))
            }
        case list():
            return [_without_patterns(each) for each in listed(cast(object, value))]
        case _:
            return value


def _named(link: Link, ids: Sequence[str]) -> list[tuple[str, str]]:
    """Names of tools, each with its operation; those that would be cut to the same are told apart by a digest."""
    named: list[tuple[str, str]] = []
    taken: set[str] = set()
    for id in ids:
        name = link.tool_name(id)
        if name in taken or len(link.name) + 1 + len(id) > NAME:
            name = f"{name[: NAME - 7]}_{hashlib.sha256(id.encode()).hexdigest()[:6]}"
        taken.add(name)
        named.append((name, id))
    return named


def _is_for(link: Link, url: str) -> bool:
    """Whether the document's address is of the server that the credentials are for."""
    return link.base_url is None or _origin(link.base_url) == _origin(url)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
