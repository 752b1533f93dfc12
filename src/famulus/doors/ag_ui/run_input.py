"""What an AG-UI client sends (`RunAgentInput`, AG-UI 1.x), and what of it is new.

The client sends the whole conversation each time; ours is the thread. New is what stands after the last answer: the
last words of the person, and what came of calls that the client has carried out. Material that is not known is passed
over, as the protocol wants it; a known field with a wrong value is refused.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct

from famulus.conversations.parts import Application, ClientTool, Page
from famulus.doors.bodies import MOST_TOOLS, as_json, client_tool, decoded, fault, text
from famulus.doors.programs import LONGEST_NAME, Seat
from famulus.doors.schemas import MESSAGE_LENGTH

MOST_MESSAGES, MOST_CONTEXTS, MOST_RESUMES, MOST_FILES = 2_000, 50, 32, 10
MOST_TOLD = 10_000
"""Characters of context, bytes of state, bytes of what came of one call."""
MOST_INSTRUCTIONS = 20_000
FILES = "famulus"
"""The provider of a file handle that is an attachment of ours."""


class _Source(Struct):
    type: str = ""
    value: str = ""
    provider: str | None = None


class _Piece(Struct):
    type: str
    text: str | None = None
    source: _Source | None = None


class _Message(Struct, rename="camel"):
    role: str
    content: str | list[_Piece] | Any = None
    tool_call_id: str | None = None
    error: str | None = None


class _Tool(Struct):
    name: str
    description: str = ""
    parameters: dict[str, Any] | None = None


class _Context(Struct):
    description: str
    value: str


class ResumeEntry(Struct, rename="camel"):
    """What is said to one interrupt."""

    interrupt_id: str
    status: Literal["resolved", "cancelled"]
    payload: Any = None


class _Page(Struct):
    url: str = ""
    title: str = ""
    path: str = ""
    headings: list[str] = []
    description: str = ""


class _Props(Struct, rename="camel"):
    """What of `forwardedProps` means something here."""

    course_id: str | None = None
    assistant_id: str | None = None
    page: _Page | None = None
    client: bool = False


class RunInput(Struct, rename="camel", kw_only=True):
    """One request."""

    thread_id: str
    run_id: str
    messages: list[_Message]
    tools: list[_Tool] | None = None
    context: list[_Context] | None = None
    state: Any = None
    forwarded_props: Any = None
    resume: list[ResumeEntry] | None = None


class Said(Struct, frozen=True):
    """What is new in a request."""

    words: str
    files: tuple[str, ...]
    results: tuple[tuple[str, str], ...]
    """What came of calls, by the ids that the client was shown."""


_decoder = msgspec.json.Decoder(RunInput)


def read_input(body: bytes) -> RunInput:
    """The request in a body; raises BadRequest or Invalid, which names the field."""
    wanted = decoded(body, _decoder)
    text(wanted.run_id, "runId", LONGEST_NAME, line=True)
    for path, found, most in (
        ("messages", wanted.messages, MOST_MESSAGES),
        ("tools", wanted.tools, MOST_TOOLS),
        ("context", wanted.context, MOST_CONTEXTS),
        ("resume", wanted.resume, MOST_RESUMES),
    ):
        if found is not None and len(found) > most:
            raise fault(path, f"At most {most:,} are taken; leave the others out.")
    return wanted


def props_of(wanted: RunInput) -> _Props:
    """What the application forwards; raises Invalid."""
    given = wanted.forwarded_props
    if not isinstance(given, dict):
        return _Props()
    try:
        return msgspec.convert(given, _Props)
    except msgspec.ValidationError as error:
        raise fault("forwardedProps", f"{error}.") from error


def seat_of(props: _Props) -> Seat:
    """Where a new thread is to be; raises Invalid."""
    named = {"courseId": props.course_id, "assistantId": props.assistant_id}
    ids = [id and text(id, f"forwardedProps.{path}", 64, line=True) for path, id in named.items()]
    return Seat(ids[0] or None, ids[1] or None)


def said_in(wanted: RunInput) -> Said:
    """What stands after the last answer; raises Invalid."""
    results: list[tuple[str, str]] = []
    words, files = "", list[str]()
    for number in range(len(wanted.messages) - 1, -1, -1):
        message, path = wanted.messages[number], f"messages[{number}]"
        if message.role == "assistant":
            break
        if message.role == "tool":
            results.append((message.tool_call_id or "", _result(message, path)))
        elif message.role == "user" and not words and not files:
            words, files = _words(message, path), _files(message)
            if not words and not files:
                raise fault(f"{path}.content", "Send words; there is nothing here that can be read.")
    if len(files) > MOST_FILES:
        raise fault("messages", f"At most {MOST_FILES} files go with a message.")
    return Said(words, tuple(files), tuple(reversed(results)))


def _words(message: _Message, path: str) -> str:
    return text(_content(message, path), f"{path}.content", MESSAGE_LENGTH, blank=True).strip()


def _result(message: _Message, path: str) -> str:
    return text(message.error or _content(message, path), f"{path}.content", MOST_TOLD, blank=True)


def _content(message: _Message, path: str) -> str:
    match message.content:
        case None:
            return ""
        case str():
            return message.content
        case list():
            return "".join(piece.text or "" for piece in _pieces(message) if piece.type == "text")
        case _:
            raise fault(f"{path}.content", "This must be text, or a list of parts.")


def _pieces(message: _Message) -> list[_Piece]:
    try:
        return msgspec.convert(message.content, list[_Piece])
    except msgspec.ValidationError as error:
        raise fault("messages", f"{error}.") from error


def _files(message: _Message) -> list[str]:
    """The attachments of ours among the parts; what else there is cannot be used, and is passed over."""
    if not isinstance(message.content, list):
        return []
    sources = [piece.source for piece in _pieces(message) if piece.source is not None]
    return [each.value for each in sources if each.type == "file" and each.provider == FILES]


def application_of(wanted: RunInput) -> Application | None:
    """What the client wants besides the words: its tools, its instructions. Raises Invalid."""
    tools = tuple(
        client_tool(tool.name, tool.description, tool.parameters, f"tools[{number}]")
        for number, tool in enumerate(wanted.tools or ())
    )
    told = [
        text(_content(message, f"messages[{number}]"), f"messages[{number}]", MOST_INSTRUCTIONS, blank=True)
        for number, message in enumerate(wanted.messages)
        if message.role in ("system", "developer")
    ]
    words = text("\n\n".join(filter(None, told)), "messages", MOST_INSTRUCTIONS, blank=True)
    return Application(instructions=words, tools=_apart(tools)) if words or tools else None


def _apart(tools: tuple[ClientTool, ...]) -> tuple[ClientTool, ...]:
    """Each name once; raises Invalid."""
    if len({tool.name for tool in tools}) < len(tools):
        raise fault("tools", "Two tools have the same name.")
    return tools


def page_of(wanted: RunInput, props: _Props) -> Page | None:
    """What the application tells of where the person is, as data that nobody has checked. Raises Invalid."""
    lines = [f"{each.description}: {each.value}" for each in wanted.context or ()]
    if wanted.state not in (None, {}):
        lines.append(f"State: {as_json(wanted.state, 'state', MOST_TOLD)}")
    page = props.page or _Page()
    if page.description:
        lines.insert(0, page.description)
    told = text("\n".join(lines), "context", 2 * MOST_TOLD, blank=True)
    if not told and props.page is None:
        return None
    where = "forwardedProps.page"
    return Page(
        url=text(page.url, f"{where}.url", 2000, blank=True, line=True),
        title=text(page.title, f"{where}.title", 300, blank=True, line=True),
        path=text(page.path, f"{where}.path", 1000, blank=True, line=True),
        headings=tuple(text(each, f"{where}.headings", 300, line=True) for each in page.headings[:50]),
        description=told,
    )
