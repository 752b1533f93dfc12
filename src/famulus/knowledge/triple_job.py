"""Having material read for triples, as a job: a few texts at a time, each asked about once, within the budget.

    chunks without an answer ─┬▶ an answer about the same text is there: linked
                              └▶ tokens reserved ─▶ asked ─▶ answers, links and what it took, in one transaction

What is killed goes on where it was. What it had asked and not written down is asked again, and stays reserved: the
budget is never exceeded by that. No session is open while the model is waited for.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.crash import CrashPoints
from famulus.kernel.database import Database
from famulus.kernel.errors import ConfigurationError
from famulus.kernel.jobs import Later
from famulus.kernel.tables import utc_now
from famulus.knowledge.models import TripleRun
from famulus.knowledge.triple_store import By, Unread, keep, known, link, tidy, unread
from famulus.knowledge.triples import MOST_ANSWER, at_most, read_triples, request_for, version
from famulus.llm.errors import (
    ModelContextTooLong,
    ModelError,
    ModelRequestRefused,
    ModelStreamCut,
    ModelTimeout,
)
from famulus.llm.opened import Models
from famulus.llm.protocol import Model, TextDelta, Usage

AT_ONCE = 4
"""Requests on their way together."""
LOOKED_AT = 32
"""Chunks of one round."""
MOST_SECONDS = 300.0
"""Of one attempt at the job, after which other jobs have their turn."""
PAUSE = 30.0
"""Seconds until a model that has trouble is asked again, where it does not say."""
OPEN = ("running", "failed")
"""A run that broke off has failed until the job's next attempt."""
PAID = (ModelStreamCut, ModelTimeout)
"""Of what came to nothing so, the provider may want to be paid."""
REFUSED = (ModelRequestRefused, ModelContextTooLong)
"""What may be the fault of one text."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a model has said about a text, or why it has not."""

    hash: str
    text: str
    answer: str = ""
    tokens: tuple[int, int] = (0, 0)
    """In and out."""
    error: ModelError | None = None


class TripleKeeper:
    """Does the work of runs."""

    def __init__(self, database: Database, models: Models, crash: CrashPoints | None = None) -> None:
        self._database = database
        self._models = models
        self._crash = crash or CrashPoints(None)

    async def handle(self, payload: Mapping[str, str | int | bool | None]) -> None:
        """Read an organization's material, as far as the budget goes. Raises `Later` to give way, or to wait."""
        until, after = time.monotonic() + MOST_SECONDS, 0
        while (after := await self._round(str(payload["organization_id"]), after)) is not None:
            self._crash.reach("triples.round")
            if time.monotonic() > until:
                raise Later(0)

    async def broke_off(
        self, session: AsyncSession, payload: Mapping[str, str | int | bool | None], error: str
    ) -> None:
        """An attempt has ended as none should; where there will be another, it goes on."""
        reason = f"Reading broke off ({error.partition(':')[0]}). What was read is kept; the server's log says more."
        mine = (TripleRun.organization_id == payload["organization_id"], TripleRun.state == "running")
        await session.execute(update(TripleRun).where(*mine).values(state="failed", error=reason))

    async def _round(self, organization_id: str, after: int) -> int | None:
        """Do the next few chunks after a number; that of the last one before them, None when the run is over."""
        async with self._database.read() as session:
            query = select(TripleRun).where(TripleRun.organization_id == organization_id)
            run = (await session.scalars(query)).one_or_none()
            if run is None or run.state not in OPEN:
                return None
            by = By(run.model, version())
            chunks = await unread(session, organization_id, by, after, LOOKED_AT)
            had = await known(session, organization_id, by, {chunk.hash for chunk in chunks})
        if not chunks and after:
            return 0  # some may have come with a number that was free again
        if had:
            async with self._database.write() as session:
                numbers = [chunk.number for chunk in chunks if chunk.hash in had]
                await link(session, organization_id, numbers, by)
            return chunks[0].number - 1
        texts = {chunk.hash: chunk.text for chunk in chunks}
        fitting = _fitting(texts, run.token_budget - run.input_tokens - run.output_tokens - run.reserved)
        if not fitting:
            await self._end(run, "stopped" if texts else "done")
        elif await self._ask_about(run, by, chunks, fitting):
            return chunks[0].number - 1
        return None

    async def _ask_about(
        self, run: TripleRun, by: By, chunks: Sequence[Unread], texts: Mapping[str, str]
    ) -> bool:
        try:
            model = self._models.get(run.model)
        except ConfigurationError as error:
            return await self._end(run, "failed", error.detail)
        worst = {hash: _sum(at_most(text)) for hash, text in texts.items()}
        if not await self._reserve(run, sum(worst.values())):
            return False
        self._crash.reach("triples.reserved")
        heard = await asyncio.gather(*(self._ask(model, hash, text) for hash, text in texts.items()))
        self._crash.reach("triples.asked")
        lost = sum(worst[one.hash] for one in heard if isinstance(one.error, PAID))
        if not await self._record(run, by, chunks, heard, free=sum(worst.values()) - lost):
            return False
        return await self._go_on(run, heard)

    async def _reserve(self, run: TripleRun, tokens: int) -> bool:
        """Hold tokens back; False where the run has ended meanwhile."""
        going = update(TripleRun).where(TripleRun.id == run.id, TripleRun.state.in_(OPEN))
        held = going.values(reserved=TripleRun.reserved + tokens, state="running", updated_at=utc_now())
        async with self._database.write() as session:
            return (await session.scalars(held.returning(TripleRun.id))).first() is not None

    async def _ask(self, model: Model, hash: str, text: str) -> _Heard:
        pieces: list[str] = []
        length, usage = 0, None
        try:
            async with aclosing(model.stream(request_for(text, self._models.effort))) as batches:
                async for items in batches:
                    words = [item.text for item in items if isinstance(item, TextDelta)]
                    usage = next((item for item in items if isinstance(item, Usage)), usage)
                    pieces += words
                    length += sum(map(len, words))
                    if length > MOST_ANSWER:
                        break
        except ModelError as error:
            return _Heard(hash, text, error=error)
        usage = usage or at_most(text)
        return _Heard(hash, text, "".join(pieces), (usage.input_tokens, usage.output_tokens))

    async def _record(
        self, run: TripleRun, by: By, chunks: Sequence[Unread], heard: Sequence[_Heard], *, free: int
    ) -> bool:
        """Write down what was said and what it took; False where all is to be forgotten by now."""
        answers = {one.hash: read_triples(one.answer, one.text) for one in heard if one.error is None}
        if answers:
            # Where others are answered, what is refused is so for its text, and will be the next time.
            answers |= {one.hash: [] for one in heard if isinstance(one.error, REFUSED)}
        took = update(TripleRun).where(TripleRun.id == run.id)
        took = took.values(
            reserved=TripleRun.reserved - free,
            input_tokens=TripleRun.input_tokens + sum(one.tokens[0] for one in heard),
            output_tokens=TripleRun.output_tokens + sum(one.tokens[1] for one in heard),
            error=None,
            updated_at=utc_now(),
        )
        async with self._database.write() as session:
            if (await session.scalars(took.returning(TripleRun.id))).first() is None:
                return False
            await keep(session, run.organization_id, by, answers)
            numbers = [chunk.number for chunk in chunks if chunk.hash in answers]
            await link(session, run.organization_id, numbers, by)
        return True

    async def _go_on(self, run: TripleRun, heard: Sequence[_Heard]) -> bool:
        """Whether to go on after what went wrong; raises `Later` where it may be right a little later."""
        errors = [one.error for one in heard if one.error is not None]
        passing = [error for error in errors if error.retry]
        if passing:
            pause = max(error.retry_after or PAUSE for error in passing)
            log.warning("triples_wait", organization_id=run.organization_id, code=passing[0].code)
            await self._say(run, passing[0].detail)
            raise Later(pause)
        answered = len(errors) < len(heard)
        fatal = [error for error in errors if not (answered and isinstance(error, REFUSED))]
        if fatal:
            return await self._end(run, "failed", fatal[0].detail)
        return True

    async def _say(self, run: TripleRun, reason: str) -> None:
        async with self._database.write() as session:
            mine = update(TripleRun).where(TripleRun.id == run.id)
            await session.execute(mine.values(error=reason[:1000], updated_at=utc_now()))

    async def _end(self, run: TripleRun, state: str, reason: str | None = None) -> bool:
        """The run is over, unless somebody has ended it already."""
        mine = update(TripleRun).where(TripleRun.id == run.id, TripleRun.state.in_(OPEN))
        values = {"state": state, "error": reason and reason[:1000], "updated_at": utc_now()}
        async with self._database.write() as session:
            await session.execute(mine.values(values))
            await tidy(session, run.organization_id)
        log.info("triples_ended", organization_id=run.organization_id, state=state)
        return False


def _fitting(texts: Mapping[str, str], left: int) -> dict[str, str]:
    """The first texts, a few, whatever asking about them may take at most."""
    found: dict[str, str] = {}
    for hash, text in list(texts.items())[:AT_ONCE]:
        left -= _sum(at_most(text))
        if left < 0:
            break
        found[hash] = text
    return found


def _sum(usage: Usage) -> int:
    return usage.input_tokens + usage.output_tokens
