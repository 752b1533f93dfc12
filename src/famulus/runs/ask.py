"""A message as a door hands it in, what accepting it writes, and the acknowledgement."""

from dataclasses import dataclass
from hashlib import sha256

from famulus.assistants.settings import ResolvedAssistant
from famulus.conversations.given import Given
from famulus.conversations.parts import (
    Application,
    Attached,
    ClientResult,
    MessageView,
    Original,
    Page,
    Part,
    Text,
    encode_parts,
)
from famulus.kernel.ids import new_id
from famulus.kernel.tables import utc_now
from famulus.runs.ending import preview_of
from famulus.runs.events import ThreadTitled
from famulus.runs.preparation import started_event
from famulus.runs.runner import Runner
from famulus.runs.sql.accept import Acceptance
from famulus.runs.title import first_words
from famulus.runs.views import RunView
from famulus.runs.work import Asker, encode_asker


@dataclass(frozen=True, slots=True)
class Ask:
    """One message to a thread, as a door hands it in; `text` is cleaned."""

    thread_id: str
    text: str
    page: Page | None = None
    key: str | None = None
    """The client's Idempotency-Key."""
    request_id: str | None = None
    attachments: tuple[Attached, ...] = ()
    original: Original | None = None
    """The message as its client composed it."""
    client: bool = False
    """Whether the client carries out calls, and puts questions to the person."""
    application: Application | None = None
    results: tuple[ClientResult, ...] = ()
    """Of calls that a program has carried out; with them there may be no text."""
    earlier: tuple[Given, ...] = ()
    """What goes before it in the thread, as its sender tells it."""

    def parts(self) -> tuple[Part, ...]:
        """The message's parts."""
        said = (Text(self.text),) if self.text else ()
        beside = filter(None, (self.page, self.original, self.application))
        return (*self.results, *said, *self.attachments, *beside)

    def digest(self) -> str:
        """Of everything that is sent: what an Idempotency-Key stands for."""
        sent = [encode_parts(self.parts()), *(encode_parts(each.parts) for each in self.earlier)]
        return sha256("\0".join(sent).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Started:
    """The acknowledgement: both are committed."""

    run: RunView
    message: MessageView
    replayed: bool


def acceptance(
    ask: Ask,
    asker: Asker,
    assistant: ResolvedAssistant,
    *,
    model: str,
    runner: Runner,
    message_id: str | None,
) -> Acceptance:
    """What accepting a message writes; with a `message_id` it is one that is there, and is answered anew."""
    run_id, message_id = new_id("run"), message_id or new_id("msg")
    title = first_words(ask.text or ", ".join(each.name for each in ask.attachments))
    return Acceptance(
        run_id=run_id,
        message_id=message_id,
        thread_id=ask.thread_id,
        user_id=asker.principal.user_id,
        parts=encode_parts(ask.parts()),
        preview=preview_of(ask.text),
        title=title,
        key=ask.key,
        body_hash=ask.digest(),
        policy=assistant.settings.on_second_message,
        asker=encode_asker(asker).decode(),
        model=model,
        owner=runner.owner,
        lease=runner.lease,
        request_id=ask.request_id,
        created_at=utc_now(),
        first_events=(started_event(run_id, ask.thread_id, message_id, assistant, model),),
        attachments=tuple(each.id for each in ask.attachments),
        titled_event=ThreadTitled(ask.thread_id, title),
        earlier=ask.earlier,
    )
