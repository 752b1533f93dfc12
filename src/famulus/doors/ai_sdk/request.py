"""What the AI SDK's transport sends (`{id, messages, trigger, messageId}`), and what of it is new.

The client sends the whole chat each time; ours is the thread. New is the last message: the person's words, or, where
that is an answer, what the person said to calls which wait, and what came of calls that the client has carried out.
"""

import base64
import binascii
import re
from typing import Any, Literal

import msgspec
from msgspec import Struct

from famulus.conversations.attachments import File
from famulus.conversations.parts import Application, Page
from famulus.doors.bodies import MOST_TOOLS, as_json, client_tool, decoded, fault, text
from famulus.doors.programs import LONGEST_NAME, Seat
from famulus.doors.schemas import MESSAGE_LENGTH

MOST_MESSAGES, MOST_PARTS, MOST_FILES = 2_000, 500, 10
MOST_TOLD = 10_000
"""Bytes of what came of one call."""
MOST_INSTRUCTIONS = 20_000
_DATA = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w=.-]+)*;base64,", re.ASCII)
_OURS = re.compile(r".*/api/v1/attachments/(att_[A-Za-z0-9]{1,60})(?:/content)?", re.ASCII)


class _Approval(Struct):
    id: str
    approved: bool | None = None
    reason: str | None = None


class _Part(Struct, rename="camel"):
    type: str
    text: str | None = None
    state: str | None = None
    tool_call_id: str | None = None
    output: Any = None
    error_text: str | None = None
    approval: _Approval | None = None
    media_type: str | None = None
    filename: str | None = None
    url: str | None = None

    @property
    def is_call(self) -> bool:
        """Whether it is a call of a tool."""
        return self.type == "dynamic-tool" or self.type.startswith("tool-")


class _Message(Struct):
    id: str
    role: Literal["system", "user", "assistant"]
    parts: list[_Part]


class _Tool(Struct, rename="camel"):
    name: str
    description: str = ""
    input_schema: dict[str, Any] | None = None


class _Page(Struct):
    url: str = ""
    title: str = ""
    path: str = ""
    headings: list[str] = []
    description: str = ""


class ChatRequest(Struct, rename="camel", kw_only=True):
    """One request; after the transport's own fields, what a page may send beside them in `body`."""

    id: str
    messages: list[_Message]
    trigger: Literal["submit-message", "regenerate-message"] = "submit-message"
    message_id: str | None = None
    course_id: str | None = None
    assistant_id: str | None = None
    page: _Page | None = None
    tools: list[_Tool] | None = None


class Said(Struct, frozen=True):
    """What is new in a request."""

    key: str
    """The client's id of the message, under which it is accepted once."""
    words: str = ""
    files: tuple[str | File, ...] = ()
    """Attachments of ours by their ids, and files as they are."""
    results: tuple[tuple[str, str], ...] = ()
    """What came of calls, by the ids that the client was shown."""
    decisions: tuple[_Approval, ...] = ()


_decoder = msgspec.json.Decoder(ChatRequest)


def read_chat(body: bytes) -> ChatRequest:
    """The request in a body; raises BadRequest or Invalid, which names the field."""
    wanted = decoded(body, _decoder)
    for path, count, most in (
        ("messages", len(wanted.messages), MOST_MESSAGES),
        ("tools", len(wanted.tools or ()), MOST_TOOLS),
        ("messages.parts", len(wanted.messages[-1].parts) if wanted.messages else 0, MOST_PARTS),
    ):
        if count > most:
            raise fault(path, f"At most {most:,} are taken; leave the others out.")
    return wanted


def seat_of(wanted: ChatRequest) -> Seat:
    """Where a new thread is to be; raises Invalid."""
    named = {"courseId": wanted.course_id, "assistantId": wanted.assistant_id}
    ids = [id and text(id, path, 64, line=True) for path, id in named.items()]
    return Seat(ids[0] or None, ids[1] or None)


def said_in(wanted: ChatRequest) -> Said:
    """What the last message brings; raises Invalid."""
    if not wanted.messages:
        raise fault("messages", "Send at least the last message.")
    last = wanted.messages[-1]
    path = f"messages[{len(wanted.messages) - 1}]"
    key = text(last.id, f"{path}.id", LONGEST_NAME, line=True)
    match last.role:
        case "user":
            return _asked(last, key, path)
        case "assistant":
            return Said(key, results=_results(last, path), decisions=_decisions(last))
        case "system":
            raise fault(f"{path}.role", "The last message has to be the person's, or an answer.")


def _asked(message: _Message, key: str, path: str) -> Said:
    said = "".join(part.text or "" for part in message.parts if part.type == "text")
    words = text(said, f"{path}.parts", MESSAGE_LENGTH, blank=True).strip()
    files = [_file(part, f"{path}.parts") for part in message.parts if part.type == "file"]
    if not words and not files:
        raise fault(f"{path}.parts", "Send words; there is nothing here that can be read.")
    if len(files) > MOST_FILES:
        raise fault(f"{path}.parts", f"At most {MOST_FILES} files go with a message.")
    return Said(key, words, tuple(files))


def _file(part: _Part, path: str) -> str | File:
    url = part.url or ""
    if ours := _OURS.fullmatch(url[:500]):
        return ours[1]
    found = _DATA.match(url)
    if found is None:
        raise fault(path, "Send a file as a data URL, or as the address of an attachment of ours.")
    try:
        data = base64.b64decode(url[found.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise fault(path, "This is not base64.") from error
    return File(part.filename or "file", part.media_type or found[1], data)


def _results(message: _Message, path: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (part.tool_call_id or "", _outcome(part, path))
        for part in message.parts
        if part.is_call and part.state in ("output-available", "output-error")
    )


def _outcome(part: _Part, path: str) -> str:
    """What came of a call, cut where it is longer than a model is told: most are of calls of ours, and not taken."""
    said = part.error_text if part.state == "output-error" else part.output
    told = said if isinstance(said, str) else as_json(said, f"{path}.parts", 1_000_000)
    return text(told[:MOST_TOLD], f"{path}.parts", MOST_TOLD, blank=True)


def _decisions(message: _Message) -> tuple[_Approval, ...]:
    return tuple(
        part.approval
        for part in message.parts
        if part.is_call and part.state == "approval-responded" and part.approval is not None
    )


def application_of(wanted: ChatRequest) -> Application | None:
    """What the page wants besides the words: its tools, its instructions. Raises Invalid."""
    tools = tuple(
        client_tool(tool.name, tool.description, tool.input_schema, f"tools[{number}]")
        for number, tool in enumerate(wanted.tools or ())
    )
    if len({tool.name for tool in tools}) < len(tools):
        raise fault("tools", "Two tools have the same name.")
    told = [part.text or "" for each in wanted.messages if each.role == "system" for part in each.parts]
    words = text("\n\n".join(filter(None, told)), "messages", MOST_INSTRUCTIONS, blank=True)
    return Application(instructions=words, tools=tools) if words or tools else None


def page_of(wanted: ChatRequest) -> Page | None:
    """The page that the person looks at, as it tells of itself. Raises Invalid."""
    page = wanted.page
    if page is None:
        return None
    return Page(
        url=text(page.url, "page.url", 2000, blank=True, line=True),
        title=text(page.title, "page.title", 300, blank=True, line=True),
        path=text(page.path, "page.path", 1000, blank=True, line=True),
        headings=tuple(text(each, "page.headings", 300, line=True) for each in page.headings[:50]),
        description=text(page.description, "page.description", 2000, blank=True),
    )
