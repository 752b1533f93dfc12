"""Before the model is asked: who answers, what was said, what is known. Reads everything, then lets go of the database.

Values out of this are all that the loop needs; nothing here is open while the model thinks.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import count

from msgspec import json
from msgspec.structs import replace

from famulus.assistants.cache import AssistantCache
from famulus.assistants.settings import ResolvedAssistant
from famulus.campus.auditing import lately_done
from famulus.campus.courses import CourseCard, course_card
from famulus.campus.presence import principal_again
from famulus.campus.projects import first_projects
from famulus.conversations.attachments import Attachments
from famulus.conversations.parts import (
    Application,
    Citation,
    ClientResult,
    Page,
    Part,
    Tool,
    decode_parts,
    text_of,
)
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.effort import Effort, at_most
from famulus.kernel.jobs import INSERT_JOB, job_values
from famulus.kernel.lane import Statement
from famulus.kernel.memory import Memory
from famulus.kernel.tables import utc_now
from famulus.knowledge import followup
from famulus.knowledge.retrieve import Passage, Retriever, fits
from famulus.llm.opened import Models
from famulus.llm.prices import Prices
from famulus.llm.protocol import ChatMessage, Grounding, Model, ModelSettings, Request, ToolSpec
from famulus.runs.acting import Acting, Hands
from famulus.runs.carrying import UNKNOWN
from famulus.runs.context import Situation, Surroundings, Voice, system_text
from famulus.runs.enclosures import Enclosures
from famulus.runs.events import (
    START,
    AnswerRestarted,
    AssistantCard,
    Entry,
    Event,
    PassageCard,
    RetrievalFinished,
    RunStarted,
    ToolFinished,
)
from famulus.runs.history import Turn, turns_of, within_budget
from famulus.runs.loop import MOST_TOKENS, Draft, Limits
from famulus.runs.sql.read import Said, events_after, history
from famulus.runs.work import Asker, Past, Work, past_of, tool_part
from famulus.tools.client import with_brought, with_declared
from famulus.tools.contract import ToolContext
from famulus.tools.offer import Offer, Toolbox
from famulus.tools.relevance import Told, tell

ARRANGING = ("teacher", "organization_admin", "site_admin")
PROJECTS, RECENT = 12, 5
MEMORY = 5.0
"""Seconds that what is there is remembered for a person."""
TITLE_JOB = "thread.title"
LATELY = 8
"""Messages that a question may lean on."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that one attempt needs."""

    model: Model
    request: Request
    news: tuple[Event, ...]
    """What the preparation found."""
    hand: Acting
    limits: Limits


class Preparation:
    """Builds attempts."""

    def __init__(
        self,
        database: Database,
        models: Models,
        assistants: AssistantCache,
        *,
        toolbox: Toolbox,
        hands: Hands,
        prices: Prices,
        retriever: Retriever,
        attachments: Attachments,
    ) -> None:
        self._enclosures = Enclosures(attachments)
        self._database = database
        self._retriever = retriever
        self._models = models
        self._prices = prices
        self._assistants = assistants
        self._toolbox = toolbox
        self._hands = hands
        self._known = Memory[tuple[str, str | None, str | None], Surroundings](seconds=MEMORY, size=5_000)

    async def prepare(self, work: Work) -> Prepared:
        """Read what the answer needs. Raises a FamulusError where it cannot be given."""
        await self._ask_again(work)
        asker = work.asker
        assistant = await self._assistants.get(asker.assistant_id)
        rows = await self._history(work, assistant)
        asked = decode_parts(rows[-1].parts)
        application = next((part for part in asked if isinstance(part, Application)), Application())
        course = await self._course(work)
        offer = await self._offer(asker, assistant, application)
        started = time.perf_counter()
        passages, reading = await self._passages(work, rows, assistant) if course else ((), False)
        took = (time.perf_counter() - started) * 1000
        work.draft.price = await self._prices.of(assistant.settings.model or self._models.default)
        _make_citable(work.draft, passages)
        situation = Situation(
            voice=Voice(assistant.name, assistant.instructions),
            principal=asker.principal,
            course_title=course.title if course else None,
            page=next((part for part in asked if isinstance(part, Page)), None),
            passages=tuple(_grounding(n, passage) for n, passage in enumerate(passages, 1)),
            searched=course is not None,
            reading=reading,
            today=utc_now().date(),
            can_act=bool(offer.tools),
            surroundings=await self._surroundings(work) if offer.tools else None,
            application=application.instructions,
        )
        work.draft.aloud = assistant.settings.show_reasoning
        told = self._told(work, offer, rows)
        model = self._models.get(assistant.settings.model)
        said = await self._said(rows, model, calls=bool(offer.tools))
        return Prepared(
            model=model,
            request=self._request(situation, said, assistant, application, course_id=asker.course_id),
            news=(RetrievalFinished(_cards(passages), round(took, 1)),) if course else (),
            hand=self._hand(work, assistant, told, tainted=len(rows) > 1 or _tainted(situation, asked)),
            limits=_limits(assistant),
        )

    async def _offer(self, asker: Asker, assistant: ResolvedAssistant, application: Application) -> Offer:
        """The tools of this answer: ours, those that its client can carry out, and those that the message brings."""
        offer = await self._toolbox.offer(asker.principal, assistant.settings.tools)
        if asker.client:
            offer = with_declared(offer, assistant.settings.client_tools, asks=assistant.settings.asks)
        return with_brought(offer, _their_tools(application))

    def _hand(self, work: Work, assistant: ResolvedAssistant, told: Told, *, tainted: bool) -> Acting:
        """What carries out the tool calls of this attempt."""
        asker = work.asker
        context = ToolContext(asker.principal, work.run.thread_id, asker.course_id, tainted=tainted)
        return Acting(self._hands, work, told, context, assistant.settings)

    @staticmethod
    def _told(work: Work, offer: Offer, rows: list[Said]) -> Told:
        """The tools that fit the question, and those that the answer has used already."""
        used = {part.name for part in work.draft.parts if isinstance(part, Tool)}
        return tell(offer, partial(_question, rows), used)

    def title_job(self, work: Work) -> Callable[[], Statement] | None:
        """The statement that asks for a better title, when a real model can make one."""
        if work.run.model is None or work.run.model.partition(":")[0] in ("offline", "scripted"):
            return None
        thread_id = work.run.thread_id
        return lambda: (
            INSERT_JOB,
            job_values(TITLE_JOB, {"thread_id": thread_id}, unique=f"title:{thread_id}"),
        )

    async def _ask_again(self, work: Work) -> None:
        """A run that has waited, or was taken over, goes on with the rights that its asker has by now."""
        if work.asked is None:
            async with self._database.read() as session:
                principal = await principal_again(session, work.asker.principal)
            work.asker = replace(work.asker, principal=principal)

    async def _history(self, work: Work, assistant: ResolvedAssistant) -> list[Said]:
        if work.asked is not None and work.asked.position == 1:
            return [Said(work.asked.role, work.asked.parts)]
        limit = assistant.settings.history_messages
        script = partial(history, work.run.message_id, work.asked, limit)
        rows: list[Said] = await self._database.lane.read(script)
        return rows

    async def _course(self, work: Work) -> CourseCard | None:
        if work.asker.course_id is None:
            return None
        async with self._database.read() as session:
            return await course_card(session, work.asker.principal, work.asker.course_id)

    async def _surroundings(self, work: Work) -> Surroundings | None:
        """What is there for who arranges it; whoever learns is told of their course alone."""
        principal = work.asker.principal
        if principal.role not in ARRANGING or "read" not in (principal.scopes or ("read",)):
            return None
        return await self._known.get(
            (principal.user_id, principal.organization_id, principal.role), partial(self._look, principal)
        )

    async def _look(self, principal: Principal) -> Surroundings:
        async with self._database.read() as session:
            names = await first_projects(session, principal, PROJECTS + 1)
            recent = await lately_done(session, principal, RECENT)
        return Surroundings(tuple(names[:PROJECTS]), len(names) > PROJECTS, tuple(recent))

    async def _passages(
        self, work: Work, rows: list[Said], assistant: ResolvedAssistant
    ) -> tuple[tuple[Passage, ...], bool]:
        """What fits the question, and whether there may be more when all has been read."""
        if assistant.settings.passages == 0:
            return (), False
        answer = await self._retriever.search(
            work.asker.principal,
            _question(rows),
            course_id=work.asker.course_id,
            limit=assistant.settings.passages,
        )
        return tuple(passage for passage in answer.passages if fits(passage)), answer.reading > 0

    async def opening(self, work: Work, *, keep_unfinished: bool) -> list[Event]:
        """The first events of an attempt; takes up what earlier ones finished, and if asked what they had begun."""
        run = work.run
        if run.epoch == 1:
            assistant = await self._assistants.get(work.asker.assistant_id)
            return [started_event(run.id, run.thread_id, run.message_id, assistant, run.model or "")]
        after = START
        entries: list[Entry] = []
        while found := await self._database.lane.read(partial(events_after, run.id, after)):
            entries += found
            after = found[-1].id
        past = past_of(entries)
        work.draft.take_up(run.input_tokens, run.output_tokens, run.cost)
        work.draft.parts.extend(past.parts)
        work.waiting, work.answered = past.waiting, past.answered
        settled = self._settle(work, past, last=keep_unfinished)
        if keep_unfinished and past.begun:
            work.draft.pieces.append(past.begun)
        reason = "resumed" if past.waiting else "taken_over"
        if reason == "taken_over":  # what the step that broke off has cost, nobody has told
            work.draft.cost_known = False
        return [AnswerRestarted(work.draft.text(), reason), *settled]

    @staticmethod
    def _settle(work: Work, past: Past, *, last: bool) -> list[Event]:
        """Calls that left the house and never came back: made again where the far side knows them by their key.

        The `last` attempt makes none, it only ends.
        """
        events: list[Event] = []
        for called in past.unsettled:
            if called.repeatable and not last:
                work.repeat.append(called)
                continue
            finished = ToolFinished(called.call_id, called.name, "unknown", UNKNOWN)
            work.draft.parts.append(tool_part(called, finished))
            events.append(finished)
        return events

    async def _said(self, rows: list[Said], model: Model, *, calls: bool) -> list[Turn]:
        """What was said, with the files that it came with.

        A provider that is told of calls demands tools, so where there are none now, only words are told.
        """
        files = await self._enclosures.of(rows, model.kind)
        parts = [(row.role, decode_parts(row.parts)) for row in rows]
        return [turn for turn in turns_of(parts, count(1) if calls else None, files) if turn]

    def _request(
        self,
        situation: Situation,
        said: Sequence[Turn],
        assistant: ResolvedAssistant,
        application: Application,
        *,
        course_id: str | None,
    ) -> Request:
        kept = within_budget(said, assistant.settings.history_tokens)
        return Request(
            messages=(ChatMessage("system", system_text(situation)), *kept),
            grounding=situation.passages,
            searched=situation.searched,
            reading=situation.reading,
            course_title=situation.course_title,
            course_id=course_id,
            today=situation.today,
            model_settings=_model_settings(assistant, application, self._models.effort),
            user_key=sha256(situation.principal.user_id.encode()).hexdigest()[:32],
        )


def started_event(
    run_id: str, thread_id: str, message_id: str, assistant: ResolvedAssistant, model: str
) -> RunStarted:
    """The first event of a run."""
    card = AssistantCard(assistant.id, assistant.name, assistant.version)
    return RunStarted(run_id, thread_id, message_id, card, model)


def finished_steps_text(draft: Draft) -> list[str]:
    """The text of the steps that an earlier attempt finished, if any."""
    text = draft.text()
    return [text] if text else []


def _question(rows: list[Said]) -> str:
    """What to search for: the question, with what it leans on of what was said before."""
    lately = [followup.Said(row.role == "user", text_of(decode_parts(row.parts))) for row in rows[-LATELY:]]
    return followup.stand_alone(lately)


def _tainted(situation: Situation, asked: tuple[Part, ...]) -> bool:
    """Whether there is anything before the model that others than the person may have written."""
    brought = bool(situation.passages or situation.page or situation.application)
    return brought or any(isinstance(part, ClientResult) for part in asked)


def _model_settings(
    assistant: ResolvedAssistant, application: Application, effort: Effort | None
) -> ModelSettings:
    """What the assistant is set to; a program chooses where the assistant leaves the choice, and may ask for less.

    `effort` is what the server's own model is set to.
    """
    settings = assistant.settings
    bounds = [bound for bound in (settings.max_output_tokens, application.max_output_tokens) if bound]
    temperature = settings.temperature if settings.temperature is not None else application.temperature
    set_to = settings.reasoning_effort or (effort if settings.model is None else None)
    return ModelSettings(
        temperature,
        min(bounds, default=None),
        application.format,
        effort=at_most(application.reasoning_effort, set_to),
        aloud=settings.show_reasoning,
    )


def _limits(assistant: ResolvedAssistant) -> Limits:
    return Limits(assistant.settings.max_run_tokens or MOST_TOKENS, assistant.settings.max_run_cost)


def _their_tools(application: Application) -> tuple[ToolSpec, ...]:
    """The tools whose calls the program that asks carries out."""
    return tuple(
        ToolSpec(tool.name, tool.description, json.encode(tool.parameters)) for tool in application.tools
    )


def _make_citable(draft: Draft, passages: Sequence[Passage]) -> None:
    """Give an answer what it may cite; what finished steps cite already counts."""
    draft.citable = {n: _citation(n, passage) for n, passage in enumerate(passages, 1)}
    for text in finished_steps_text(draft):
        draft.cited += [citation for n, citation in draft.citable.items() if f"[{n}]" in text]


def _citation(number: int, passage: Passage) -> Citation:
    return Citation(
        number=number,
        passage_id=passage.id,
        document_id=passage.document_id,
        title=passage.title,
        heading_path=tuple(passage.heading_path),
        quote=passage.quote,
        url=passage.url,
        lesson_id=passage.lesson_id,
    )


def _grounding(number: int, passage: Passage) -> Grounding:
    return Grounding(number, passage.title, tuple(passage.heading_path), passage.text)


def _cards(passages: tuple[Passage, ...]) -> tuple[PassageCard, ...]:
    return tuple(
        PassageCard(n, passage.id, passage.title, tuple(passage.heading_path), passage.lesson_id)
        for n, passage in enumerate(passages, 1)
    )
