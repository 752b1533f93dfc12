"""`famulus import openai-export`: threads of OpenAI's closed Assistants API, as its clients gave them out.

A file of JSON lines, in any order. A line is one object as the API returned it, or a page of a list of such objects:

    {"object": "thread", "id": "thread_…", "created_at": 1700000000, "metadata": {}}
    {"object": "thread.message", "id": "msg_…", "thread_id": "thread_…", "created_at": 1700000001, "role": "user",
     "content": [{"type": "text", "text": {"value": "What is a node?", "annotations": []}}]}

Threads without a line of their own are made from their messages. Objects of other kinds, such as runs, are passed over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from famulus.campus.lookup import course_by_name, principal_by_email
from famulus.cli.work import with_database
from famulus.conversations.beginning import find_seat
from famulus.conversations.given import Given
from famulus.conversations.importing import Kept, here_already, import_threads
from famulus.conversations.parts import Text
from famulus.kernel.database import Database
from famulus.kernel.errors import ConfigurationError
from famulus.kernel.text import clean_text

LONGEST_LINE = 16 << 20
"""Bytes."""
MOST_MESSAGES = 500_000
LONGEST_TEXT = 1_000_000
"""Characters of one message."""
AT_ONCE = 200
"""Threads in one transaction."""
MARKS = 16


class _Value(Struct):
    value: str = ""


class _Content(Struct):
    type: str
    text: _Value | str | None = None


class _Object(Struct):
    object: str = ""
    id: str = ""
    thread_id: str | None = None
    created_at: float = 0
    role: str = "user"
    content: list[_Content] | str | None = None
    metadata: dict[str, Any] | None = None
    data: list["_Object"] | None = None


_decode = msgspec.json.Decoder(_Object).decode


@dataclass(slots=True)
class _Found:
    """What a file holds."""

    threads: dict[str, _Object] = field(default_factory=dict[str, _Object])
    messages: dict[str, list[_Object]] = field(default_factory=dict[str, list[_Object]])
    count: int = 0
    left_out: int = 0
    """Pieces of messages that are no text."""
    problems: list[str] = field(default_factory=list[str])


def run_import_export(path: Path, course: str | None, email: str | None, *, dry_run: bool) -> bool:
    """Bring the threads of a file in and say what was done; False when some of its lines could not be read."""
    found = _read(path)
    kept = list(_kept(found))

    async def work(database: Database) -> int:
        async with database.read() as session:
            principal = await principal_by_email(session, email)
            card = await course_by_name(session, principal, course) if course else None
            place = card.id if card else None
            seat = await find_seat(session, principal, course_id=place, assistant_id=None)
        new = 0
        for at in range(0, len(kept), AT_ONCE):
            some = kept[at : at + AT_ONCE]
            async with database.write() as session:
                if dry_run:
                    new += len(some) - await here_already(session, principal, some)
                else:
                    new += await import_threads(session, principal, seat, some)
        return new

    new = with_database(work)
    for problem in found.problems[:20]:
        print(f"  {problem}")
    messages = sum(len(each.said) for each in kept)
    print(
        f"{len(kept)} threads with {messages} messages, {new} of them new; {found.left_out} pieces that are no text"
        f" were left out; {len(found.problems)} lines could not be read."
    )
    if dry_run:
        print("Nothing was kept: this was a dry run.")
    return not found.problems


def _read(path: Path) -> _Found:
    found = _Found()
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise ConfigurationError(f"{path}, line {number}: longer than {LONGEST_LINE:,} bytes.")
                if line.strip():
                    _take_line(found, line, number)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    return found


def _take_line(found: _Found, line: bytes, number: int) -> None:
    try:
        read = _decode(line)
        for each in read.data if read.data is not None else [read]:
            _take(found, each)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        found.problems.append(f"line {number}: {error}")


def _take(found: _Found, read: _Object) -> None:
    match read.object:
        case "thread":
            found.threads[read.id] = read
        case "thread.message":
            found.count += 1
            if found.count > MOST_MESSAGES:
                raise ConfigurationError(f"More than {MOST_MESSAGES:,} messages; split the file by threads.")
            found.messages.setdefault(read.thread_id or "", []).append(read)
        case _:
            pass


def _kept(found: _Found) -> Iterator[Kept]:
    """The threads that say something, each with its messages in their order."""
    for id, messages in found.messages.items():
        messages.sort(key=lambda each: each.created_at)
        said = tuple(given for each in messages if (given := _given(found, each)) is not None)
        thread = found.threads.get(id)
        begun = _time(thread.created_at if thread and thread.created_at else messages[0].created_at)
        if said:
            yield Kept(id, begun, {"openai_thread": id[:500], **_marks(thread)}, said)


def _given(found: _Found, message: _Object) -> Given | None:
    texts: list[str] = []
    content = message.content if not isinstance(message.content, str) else [_Content("text", message.content)]
    for piece in content or ():
        if piece.type != "text" or piece.text is None:
            found.left_out += 1
            continue
        texts.append(piece.text if isinstance(piece.text, str) else piece.text.value)
    try:
        text = clean_text("\n\n".join(texts).replace("\0", ""), LONGEST_TEXT, min_length=0)
    except ValueError as error:
        found.problems.append(f"message {message.id}: {error}")
        return None
    role = "assistant" if message.role == "assistant" else "user"
    return Given(role, (Text(text),), _time(message.created_at)) if text else None


def _marks(thread: _Object | None) -> dict[str, str]:
    """A thread's metadata, as far as they are texts of a customary length."""
    given = (thread.metadata if thread else None) or {}
    texts = {str(key)[:64]: value[:512] for key, value in given.items() if isinstance(value, str)}
    return dict(list(texts.items())[: MARKS - 1])


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(min(max(seconds, 0.0), 4e9), UTC)
