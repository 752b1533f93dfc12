"""Titles of threads: the first words at once, and a better one by the model once there is a first exchange."""

from collections.abc import Mapping
from contextlib import aclosing

import msgspec
import structlog

from famulus.conversations.threads import first_exchange, retitle
from famulus.kernel.database import Database
from famulus.kernel.live import Live
from famulus.llm.errors import ModelError
from famulus.llm.opened import Models
from famulus.llm.protocol import ChatMessage, ModelSettings, Request, TextDelta
from famulus.runs.events import ThreadTitled

log = structlog.get_logger(__name__)
WORDS = 8
LENGTH = 60
EXCERPT = 1500
ASK = (
    "Give this conversation a title of at most six words in its own language. Answer with the title alone:"
    " no quotes, no final period."
)


def first_words(text: str) -> str:
    """A title from a message: its first words, cut at a word's end."""
    words = text.split()
    title = " ".join(words[:WORDS])
    whole = len(words) <= WORDS
    if len(title) > LENGTH:
        title, whole = title[:LENGTH].rsplit(" ", 1)[0], False
    return title if whole else title.rstrip(".,;:") + "…"


def feed(user_id: str) -> str:
    """The live topic of a person's own feed."""
    return f"user:{user_id}"


class Titler:
    """Handles the job that asks the model for a title."""

    def __init__(self, database: Database, live: Live, models: Models) -> None:
        self._database = database
        self._live = live
        self._models = models

    async def handle(self, payload: Mapping[str, str | int | bool | None]) -> None:
        """Title one thread, unless a person has done so; without an answer the first words stay."""
        async with self._database.read() as session:
            exchange = await first_exchange(session, str(payload["thread_id"]))
        if exchange is None or exchange.titled_by != "words":
            return
        title = await self._ask(exchange.question, exchange.answer)
        if not title:
            return
        async with self._database.write() as session:
            done = await retitle(session, exchange.thread_id, title, by="model")
        if done:
            event = ThreadTitled(exchange.thread_id, title)
            self._live.tell(feed(exchange.user_id), msgspec.json.encode(event).decode())

    async def _ask(self, question: str, answer: str) -> str:
        talk = f"Question: {question[:EXCERPT]}\n\nAnswer: {answer[:EXCERPT]}"
        request = Request(
            messages=(ChatMessage("system", ASK), ChatMessage("user", talk)),
            model_settings=ModelSettings(max_output_tokens=40),
        )
        pieces: list[str] = []
        try:
            async with aclosing(self._models.get().stream(request)) as batches:
                async for items in batches:
                    pieces += [item.text for item in items if isinstance(item, TextDelta)]
        except ModelError as error:
            log.info("title_not_made", code=error.code)
            return ""
        line = next((line for line in "".join(pieces).splitlines() if line.strip()), "")
        return " ".join(line.strip().strip("\"'“”„*#").rstrip(".").split())[:LENGTH]
