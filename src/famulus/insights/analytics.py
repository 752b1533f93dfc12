"""Analytics: what happened in a course or an organization, day by day, told of groups only.

Everything is counted by the database, in the same few statements however much there is. What may be told is decided in
`suppression`. Today is not told: a figure that grows while one looks shows who has just come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.figures import learners, members
from famulus.conversations.figures import ratings, thread_facts
from famulus.identity.principal import Principal
from famulus.insights.schemas import Analytics, DayFigures, TotalFigures
from famulus.insights.suppression import (
    NOTHING,
    SMALLEST_GROUP,
    Cell,
    Cells,
    Kind,
    Sum,
    total,
    whole_weeks,
    withheld,
)
from famulus.kernel.days import EPOCH, MONDAY, begins, day_of, ends, number_of
from famulus.kernel.errors import FieldProblem, Invalid
from famulus.kernel.tables import utc_now
from famulus.runs.events import dollars
from famulus.runs.figures import turns

MOST_DAYS = 366
USUAL_DAYS = 30


@dataclass(frozen=True, slots=True)
class Days:
    """From the first to the last of them."""

    first: date
    last: date


def days_between(first: date | None, last: date | None) -> Days:
    """The days that are asked for, yesterday at the latest; the last thirty by themselves. Raises Invalid."""
    yesterday = utc_now().date() - timedelta(days=1)
    last = min(last or yesterday, yesterday)
    if first is None:
        first = max(last, EPOCH) - timedelta(days=USUAL_DAYS - 1)
    if first > last:
        raise _refused("This is after the last day, which is yesterday at the latest.")
    if first < EPOCH or (last - first).days >= MOST_DAYS:
        raise _refused(f"Ask for at most {MOST_DAYS} days at once, and for none before 1970.")
    return Days(first, last)


def _refused(message: str) -> Invalid:
    return Invalid(fields=(FieldProblem("from", message),))


async def course_analytics(
    session: AsyncSession, principal: Principal, course_id: str, days: Days
) -> Analytics:
    """A course in numbers, for who teaches or administers it. Raises NotFound or Forbidden."""
    await access.require_in(session, principal, "analyse", "course", course_id=course_id)
    threads = thread_facts().subquery()
    here = threads.c.course_id == course_id
    return await _analytics(
        session, principal, days, _facts(session, threads, here, days), learners(course_id)
    )


async def organization_analytics(
    session: AsyncSession, principal: Principal, organization_id: str, days: Days
) -> Analytics:
    """An organization in numbers, for its admins. Raises NotFound or Forbidden."""
    await access.require_in(session, principal, "analyse", "organization", organization_id=organization_id)
    threads = thread_facts().subquery()
    here = threads.c.organization_id == organization_id
    facts = _facts(session, threads, here, days)
    return await _analytics(session, principal, days, facts, members(organization_id))


def _facts(session: AsyncSession, threads: Subquery, here: ColumnElement[bool], days: Days) -> Subquery:
    """Everything that is counted, a row each: its kind, its day, the person behind it."""
    runs, rated = turns().subquery(), ratings().subquery()
    completed = and_(runs.c.status == "completed", or_(threads.c.course_id.is_(None), runs.c.cited > 0))
    none, unknown = literal(0), cast(null(), BigInteger)

    def arm(
        kind: ColumnElement[str], of: Subquery, taken: Sequence[ColumnElement[int]] = (none, none, unknown)
    ) -> Select[str, int, str, int, int, int]:
        query = select(
            kind.label("kind"),
            day_of(session, of.c.created_at).label("day"),
            threads.c.user_id.label("user_id"),
            taken[0].label("input_tokens"),
            taken[1].label("output_tokens"),
            taken[2].label("cost"),
        ).where(here, of.c.created_at >= begins(days.first), of.c.created_at < ends(days.last))
        return query if of is threads else query.join(of, of.c.thread_id == threads.c.id)

    return union_all(
        arm(literal("question"), runs, (runs.c.input_tokens, runs.c.output_tokens, runs.c.cost)),
        arm(case((completed, "answered"), else_="unanswered"), runs),
        arm(literal("thread"), threads),
        arm(rated.c.rating, rated),
    ).subquery()


async def _counted(
    session: AsyncSession,
    principal: Principal,
    facts: Subquery,
    period: ColumnElement[int],
    *where: ColumnElement[bool],
) -> Cells:
    others = case((facts.c.user_id != principal.user_id, facts.c.user_id))
    query = (
        select(
            facts.c.kind,
            period,
            func.count(),
            func.sum(facts.c.input_tokens),
            func.sum(facts.c.output_tokens),
            func.sum(facts.c.cost),
            func.count(facts.c.user_id.distinct()),
            func.count(others.distinct()),
        )
        .where(*where)
        .group_by(facts.c.kind, period)
    )
    rows = (await session.execute(query)).all()
    return {
        (kind, period): Cell(
            count, int(read), int(written), cost if cost is None else int(cost), people=people, others=without
        )
        for kind, period, count, read, written, cost, people, without in rows
    }


async def _analytics(
    session: AsyncSession, principal: Principal, days: Days, facts: Subquery, people: Select[int]
) -> Analytics:
    numbers = range(number_of(days.first), number_of(days.last) + 1)
    whole = whole_weeks(numbers[0], numbers[-1])
    by_day = await _counted(session, principal, facts, facts.c.day)
    hidden = withheld(by_day, numbers)
    too_small = [and_(facts.c.kind == kind, facts.c.day.in_(some)) for kind, some in hidden.items() if some]
    by_week: Cells = {}
    if too_small and whole:
        week = (facts.c.day + literal(MONDAY)) // literal(7)
        by_week = await _counted(session, principal, facts, week, or_(*too_small))
    count = (await session.execute(people)).scalar_one()
    sums: dict[Kind, Sum] = {kind: total(kind, by_day, by_week, hidden, whole) for kind in hidden}
    told: dict[Kind, Cell | None] = {kind: sums[kind].cell for kind in sums}
    return Analytics(
        first=days.first,
        last=days.last,
        smallest_group=SMALLEST_GROUP,
        people=count if count == 0 or count >= SMALLEST_GROUP else None,
        total=TotalFigures(
            **_figures(told),
            cost_usd=_cost(told),
            complete=all(each.complete for each in sums.values()),
        ),
        days=[_day(number, by_day, hidden) for number in numbers],
    )


def _day(number: int, by_day: Cells, hidden: dict[Kind, set[int]]) -> DayFigures:
    cells: dict[Kind, Cell | None] = {
        kind: None if number in some else by_day.get((kind, number), NOTHING) for kind, some in hidden.items()
    }
    asked = cells["question"]
    return DayFigures(
        day=EPOCH + timedelta(days=number),
        active_people=asked and asked.people,
        cost_usd=_cost(cells),
        **_figures(cells),
    )


def _figures(cells: Mapping[Kind, Cell | None]) -> dict[str, int | None]:
    def count(kind: Kind) -> int | None:
        cell = cells[kind]
        return None if cell is None else cell.count

    asked = cells["question"]
    return {
        "threads": count("thread"),
        "questions": count("question"),
        "answered": count("answered"),
        "unanswered": count("unanswered"),
        "up": count("up"),
        "down": count("down"),
        "input_tokens": None if asked is None else asked.input_tokens,
        "output_tokens": None if asked is None else asked.output_tokens,
    }


def _cost(cells: Mapping[Kind, Cell | None]) -> float | None:
    asked = cells["question"]
    if asked is None:
        return None
    return dollars(asked.cost) if asked.count else 0.0
