"""Analytics: the figures of days and of all of them, who may see them, and what they cost."""

from datetime import timedelta

import pytest

from famulus.insights import analytics
from famulus.insights.analytics import Days
from tests.insights.past import TODAY, Turn, crowd, had
from tests.support.counting import counting
from tests.support.rooms import World

MONDAY = TODAY - timedelta(days=TODAY.weekday() + 14)
"""Of a week that is over."""
FIGURES = ("threads", "questions", "answered", "unanswered", "up", "down", "input_tokens", "output_tokens")


async def busy(world: World) -> list[str]:
    """A Monday of seven people, a Tuesday of two, a Thursday of three others, a Friday on which much goes wrong."""
    people = await crowd(world, 12)
    course = world.course
    await had(
        world,
        *[Turn(one, MONDAY, course, rating="up" if n < 6 else "down") for n, one in enumerate(people[:7])],
        *[Turn(one, MONDAY + timedelta(days=1), course) for one in people[:2]],
        *[Turn(one, MONDAY + timedelta(days=3), course) for one in people[2:5]],
        *[Turn(one, MONDAY + timedelta(days=4), course) for one in people[:6]],
        *[Turn(one, MONDAY + timedelta(days=4), course, "failed", 0) for one in people[:5]],
        *[Turn(one, MONDAY + timedelta(days=4), course, cited=0) for one in people[5:10]],
        *[Turn(one, MONDAY + timedelta(days=4), None, cited=0) for one in people[:5]],
    )
    return people


async def asked(world: World, who: str, path: str, first: object, last: object) -> dict:
    answer = await world[who].get(f"/api/v1/{path}/analytics", **{"from": first, "to": last})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_figures_of_a_course(world: World) -> None:
    await busy(world)
    found = await asked(world, "teacher", f"courses/{world.course}", MONDAY, MONDAY + timedelta(days=6))
    days = [tuple(day[name] for name in ("active_people", *FIGURES)) for day in found["days"]]

    assert (found["from"], found["to"], found["smallest_group"]) == (
        str(MONDAY),
        str(MONDAY + timedelta(days=6)),
        5,
    )
    assert found["people"] is None, "one learner"
    assert days == [
        (7, 7, 7, 7, 0, 6, None, 70, 21),
        (None, None, None, None, None, 0, 0, None, None),
        (0, 0, 0, 0, 0, 0, 0, 0, 0),
        (None, None, None, None, None, 0, 0, None, None),
        (10, 16, 16, 6, 10, 0, 0, 160, 48),
        (0, 0, 0, 0, 0, 0, 0, 0, 0),
        (0, 0, 0, 0, 0, 0, 0, 0, 0),
    ]
    # Tuesday and Thursday together are five people; the one who thought little of an answer stays alone.
    assert tuple(found["total"][name] for name in FIGURES) == (28, 28, 18, 10, 6, None, 280, 84)
    assert found["total"]["complete"] is False


async def test_the_figures_of_an_organization(world: World) -> None:
    await busy(world)
    found = await asked(world, "admin", f"organizations/{world.ours}", MONDAY, MONDAY + timedelta(days=6))

    friday = found["days"][4]
    assert (friday["questions"], friday["answered"], friday["unanswered"]) == (21, 11, 10), (
        "outside courses an answer needs no citation"
    )
    assert found["people"] is None, "four members"


async def test_costs_are_told_of_what_has_a_price(world: World) -> None:
    people = await crowd(world, 6)
    monday, course = MONDAY, world.course
    await had(
        world,
        *[Turn(one, monday, course, cost=None if n == 0 else 1_500) for n, one in enumerate(people)],
        *[Turn(one, monday + timedelta(days=1), course) for one in people],
        *[Turn(one, monday + timedelta(days=2), course, cost=900) for one in people[:2]],
    )
    found = await asked(world, "teacher", f"courses/{world.course}", monday, monday + timedelta(days=3))

    assert [day["cost_usd"] for day in found["days"]] == [0.0075, None, None, 0.0]
    assert found["total"]["cost_usd"] == 0.0075
    assert found["days"][1]["questions"] == 6, "known, without a price"
    assert found["days"][2]["questions"] is None, "two people"


async def test_a_sum_less_another_tells_of_nobody(world: World) -> None:
    await busy(world)
    path = f"courses/{world.course}"
    to_monday = await asked(world, "teacher", path, MONDAY, MONDAY)
    to_tuesday = await asked(world, "teacher", path, MONDAY, MONDAY + timedelta(days=1))

    assert to_monday["total"]["questions"] == to_tuesday["total"]["questions"] == 7


async def test_today_is_not_told(world: World) -> None:
    people = await crowd(world, 6)
    await had(world, *[Turn(one, TODAY, world.course) for one in people])
    found = await asked(world, "teacher", f"courses/{world.course}", TODAY - timedelta(days=1), TODAY)

    assert [day["day"] for day in found["days"]] == [str(TODAY - timedelta(days=1))]
    assert found["total"]["questions"] == 0


async def test_whoever_asks_does_not_hide_somebody_by_their_own_questions(world: World) -> None:
    people = [*await crowd(world, 4), world["teacher"].id]
    await had(world, *[Turn(one, MONDAY, world.course) for one in people])

    for_teacher = await asked(world, "teacher", f"courses/{world.course}", MONDAY, MONDAY)
    for_admin = await asked(world, "admin", f"courses/{world.course}", MONDAY, MONDAY)

    assert for_teacher["days"][0]["questions"] is None
    assert for_admin["days"][0]["questions"] == 5


@pytest.mark.parametrize(
    ("place", "statuses"),
    [
        ("courses/{course}", {"site": 200, "admin": 200, "teacher": 200, "student": 403, "idle": 404, "stranger": 404, "their_admin": 404}),
        ("organizations/{ours}", {"site": 200, "admin": 200, "teacher": 403, "student": 403, "idle": 403, "stranger": 404, "their_admin": 404}),
    ],
)  # fmt: skip
async def test_who_may(world: World, place: str, statuses: dict[str, int]) -> None:
    path = place.format(course=world.course, ours=world.ours)

    assert {
        who: (await world[who].get(f"/api/v1/{path}/analytics")).status_code for who in statuses
    } == statuses


async def test_days_that_cannot_be(world: World) -> None:
    path = f"/api/v1/courses/{world.course}/analytics"
    for params in (
        {"from": "2026-02-01", "to": "2026-01-01"},
        {"from": "2020-01-01"},
        {"from": "x"},
        {"to": "0001-01-01"},
    ):
        answer = await world["teacher"].get(path, **params)
        assert answer.status_code == 422, params
    whole = await world["teacher"].get(path, **{"from": TODAY - timedelta(days=366)})
    assert len(whole.json()["days"]) == 366


async def test_the_same_statements_however_much_there_is(world: World) -> None:
    admin = await world.principal("admin")
    few, many = (
        Days(MONDAY, MONDAY + timedelta(days=13)),
        Days(TODAY - timedelta(days=366), TODAY - timedelta(days=1)),
    )

    async def cost(days: Days) -> int:
        async with world.database.read() as session:
            with counting(world.database) as count:
                await analytics.course_analytics(session, admin, world.course, days)
        return count.statements

    people = await crowd(world, 3)
    await had(world, Turn(people[0], MONDAY, world.course))
    before = await cost(few)
    everything = [Turn(people[n % 3], TODAY - timedelta(days=1 + n % 366), world.course) for n in range(1500)]
    await had(world, *everything)

    assert before == await cost(many)
    assert before <= 6


async def test_nothing_of_what_was_said(world: World) -> None:
    await busy(world)
    answer = await world["admin"].get(f"/api/v1/organizations/{world.ours}/analytics")

    assert "Secret" not in answer.text
