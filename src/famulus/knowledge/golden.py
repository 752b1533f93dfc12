"""Golden questions: what a course's material has to answer, and where. Kept by those who teach it.

    found ─▶ found ─▶ not found any more: worse, until it is found as well as before, or that is accepted

`best` is the best place among the passages since the last time that somebody accepted how things are. A question whose
place is worse than that, or that has none any more, has got worse by a change of the material.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Select, and_, column, delete, func, or_, select, table, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.access import require_in
from famulus.campus.courses import course_card
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.errors import NotFound
from famulus.kernel.ids import new_id
from famulus.kernel.jobs import enqueue
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.tables import utc_now
from famulus.knowledge.errors import TooManyQuestions
from famulus.knowledge.golden_schemas import NewGoldenQuestion, Report
from famulus.knowledge.models import GoldenQuestion

GOLDEN_JOB = "knowledge.golden"
THING = "golden question"
MOST = 500
"""Questions of a course."""
MOST_COURSES = 200
"""Asked anew when material changes that they share."""
LULL = timedelta(seconds=5)
"""Changes within it share one check."""
PATIENCE = timedelta(hours=1)
"""How long a check waits for material to be read and for vectors."""
_COURSES = table("courses", column("id"), column("organization_id"))
Action = Literal["see", "create", "change", "remove"]


def got_worse() -> ColumnElement[bool]:
    """Of a question: whether its answer is not found as well as it was."""
    lower = or_(GoldenQuestion.place.is_(None), GoldenQuestion.place > GoldenQuestion.best)
    return and_(GoldenQuestion.checked_at.is_not(None), GoldenQuestion.best.is_not(None), lower)


async def list_questions(
    session: AsyncSession, principal: Principal, course_id: str, paging: Paging, *, worse: bool | None = None
) -> Page[GoldenQuestion]:
    """A course's questions in the order in which they came, perhaps only those that got worse.

    Raises NotFound or Forbidden.
    """
    await _may(session, principal, "see", course_id)
    query = select(GoldenQuestion).where(GoldenQuestion.course_id == course_id)
    if worse is not None:
        query = query.where(got_worse() if worse else ~got_worse())
    return await page(session, query, by=[GoldenQuestion.id], paging=paging)


async def report(session: AsyncSession, principal: Principal, course_id: str) -> Report:
    """How the questions of a course stand. Raises NotFound or Forbidden."""
    await _may(session, principal, "see", course_id)
    counts = (
        func.count(),
        func.count(GoldenQuestion.checked_at),
        func.count(GoldenQuestion.place),
        func.count().filter(got_worse()),
        func.max(GoldenQuestion.checked_at),
    )
    row = (await session.execute(select(*counts).where(GoldenQuestion.course_id == course_id))).one()
    return Report(questions=row[0], checked=row[1], found=row[2], worse=row[3], checked_at=row[4])


async def add_questions(
    session: AsyncSession, principal: Principal, course_id: str, new: Sequence[NewGoldenQuestion]
) -> list[GoldenQuestion]:
    """Add those that are not there yet, in so many words, and have them checked.

    Raises NotFound, Forbidden, `TooManyQuestions`.
    """
    organization_id = await _may(session, principal, "create", course_id)
    there = select(GoldenQuestion.question).where(GoldenQuestion.course_id == course_id)
    known = set(await session.scalars(there))
    fresh = {one.question: one for one in new if one.question not in known}
    if len(known) + len(fresh) > MOST:
        raise TooManyQuestions()
    now = utc_now()
    rows = [
        GoldenQuestion(id=new_id("gld"), course_id=course_id, created_at=now, **one.model_dump())
        for one in fresh.values()
    ]
    session.add_all(rows)
    if rows:
        await session.flush()
        thing = audit.Thing(rows[0].id, rows[0].question[:200], organization_id)
        after = {"course_id": course_id, "questions": len(rows)}
        audit.record(session, principal, "golden_question.create", thing, after=after)
        await ask_for_check(session, course_id)
    return rows


async def may_add(session: AsyncSession, principal: Principal, course_id: str) -> None:
    """Raise NotFound or Forbidden unless the person may add questions to a course."""
    await _may(session, principal, "create", course_id)


async def remove_question(session: AsyncSession, principal: Principal, course_id: str, id: str) -> None:
    """Forget a question. Raises NotFound or Forbidden."""
    organization_id = await _may(session, principal, "remove", course_id)
    gone = delete(GoldenQuestion).where(GoldenQuestion.id == id, GoldenQuestion.course_id == course_id)
    question = (await session.execute(gone.returning(GoldenQuestion.question))).scalar_one_or_none()
    if question is None:
        raise NotFound(f"There is no golden question {id!r} in this course.")
    thing = audit.Thing(id, question[:200], organization_id)
    audit.record(session, principal, "golden_question.remove", thing, before={"question": question})


async def accept(session: AsyncSession, principal: Principal, course_id: str) -> Report:
    """From now on, how things are is how they should be. Raises NotFound or Forbidden."""
    organization_id = await _may(session, principal, "change", course_id)
    query = update(GoldenQuestion).where(GoldenQuestion.course_id == course_id, got_worse())
    changed = (
        await session.execute(query.values(best=GoldenQuestion.place).returning(GoldenQuestion.id))
    ).all()
    thing = audit.Thing(course_id, "golden questions", organization_id)
    audit.record(session, principal, "golden_question.accept", thing, after={"questions": len(changed)})
    return await report(session, principal, course_id)


async def check_now(session: AsyncSession, principal: Principal, course_id: str) -> Report:
    """Have all questions of a course asked, in the background. Raises NotFound or Forbidden."""
    organization_id = await _may(session, principal, "change", course_id)
    thing = audit.Thing(course_id, "golden questions", organization_id)
    audit.record(session, principal, "golden_question.check", thing)
    await ask_for_check(session, course_id)
    return await report(session, principal, course_id)


async def material_changed(session: AsyncSession, organization_id: str | None, course_id: str | None) -> None:
    """Have the questions asked again of every course that has the material, if it has any."""
    asked: Select[str] = select(GoldenQuestion.course_id).distinct().limit(MOST_COURSES)
    if course_id is not None:
        asked = asked.where(GoldenQuestion.course_id == course_id)
    elif organization_id is not None:
        theirs = select(_COURSES.c.id).where(_COURSES.c.organization_id == organization_id)
        asked = asked.where(GoldenQuestion.course_id.in_(theirs))
    for each in list(await session.scalars(asked)):
        await ask_for_check(session, each)


async def ask_for_check(session: AsyncSession, course_id: str) -> None:
    """Have the questions of a course asked, once for all changes of a few seconds."""
    now = utc_now()
    payload = {"course_id": course_id, "until": int((now + PATIENCE).timestamp())}
    await enqueue(session, GOLDEN_JOB, payload, run_at=now + LULL, unique=f"{GOLDEN_JOB}:{course_id}")


async def _may(session: AsyncSession, principal: Principal, action: Action, course_id: str) -> str:
    """The organization of a course in which the person may do this; raises NotFound or Forbidden."""
    card = await course_card(session, principal, course_id)
    await require_in(session, principal, action, THING, course_id=course_id)
    return card.organization_id
