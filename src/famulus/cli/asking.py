"""`famulus ask`: a real run of the whole server but its doors, streamed to the terminal with its citations."""

import asyncio
import sys

from famulus.app import Parts, open_parts
from famulus.campus.lookup import course_by_name, principal_by_email
from famulus.conversations.beginning import Beginning
from famulus.conversations.parts import Citation
from famulus.identity.principal import Principal
from famulus.kernel.errors import Invalid
from famulus.kernel.logs import configure
from famulus.kernel.settings import load_settings
from famulus.kernel.text import clean_text
from famulus.runs.ask import Ask
from famulus.runs.events import (
    AnswerRestarted,
    Event,
    MessageCompleted,
    RetrievalFinished,
    RunFailed,
    TextDelta,
    ToolCalled,
)

MESSAGE_LENGTH = 10_000


def run_ask(question: str, course: str | None, email: str | None) -> bool:
    """Ask and print; False when the run failed."""
    settings = load_settings()
    configure(settings.model_copy(update={"log_level": "ERROR"}))
    try:
        text = clean_text(question, MESSAGE_LENGTH)
    except ValueError as error:
        raise Invalid(f"The question: {error}") from error

    async def work() -> bool:
        async with open_parts(settings) as parts:
            async with parts.database.read() as session:
                principal = await principal_by_email(session, email)
                card = await course_by_name(session, principal, course) if course else None
            where = Beginning(course_id=card.id if card else None)
            _, started = await parts.exchanges.begin(principal, Ask("", text), where)
            return await _stream(parts, principal, started.run.id)

    return asyncio.run(work())


async def _stream(parts: Parts, principal: Principal, run_id: str) -> bool:
    failed = False
    async for entries in await parts.runs.follow(principal, run_id):
        for event in (entry.event for entry in entries):
            failed = failed or isinstance(event, RunFailed)
            _show(event)
    return not failed


def _show(event: Event) -> None:
    match event:
        case RetrievalFinished(passages=passages):
            titles = ", ".join(dict.fromkeys(passage.title for passage in passages))
            print(f"Read {len(passages)} passages{f' from {titles}' if titles else ''}.\n", file=sys.stderr)
        case TextDelta(text=text):
            print(text, end="", flush=True)
        case ToolCalled(name=name):
            print(f"\n[{name}]\n", file=sys.stderr)
        case AnswerRestarted(text=text):
            print(f"\n(the answer begins again)\n\n{text}", end="", flush=True)
        case MessageCompleted(message=message):
            print("\n")
            for part in message.parts:
                if isinstance(part, Citation):
                    print(f"[{part.number}] {' › '.join((part.title, *part.heading_path))}")
        case RunFailed(error=error):
            print(f"\n{error.detail}", file=sys.stderr)
        case _:
            pass
