"""Places by the names that people type: exact before beginning, one or a choice, and only what the asker sees."""

import pytest

from famulus.campus import lookup
from famulus.campus.lookup import Ambiguous
from famulus.campus.projects import archive_project, create_project
from famulus.campus.schemas.places import NewProject, NewTrack
from famulus.campus.tracks import create_track
from famulus.kernel.errors import Forbidden, NotFound
from tests.support.rooms import SITE, World


async def projects(world: World, *names: str) -> dict[str, str]:
    """New projects of ours; ids by name."""
    async with world.database.write() as session:
        return {
            name: (await create_project(session, SITE, NewProject(name=name, organization_id=world.ours))).id
            for name in names
        }


async def project(world: World, name: str, who: str = "student") -> str:
    """The name of what is found."""
    async with world.database.read() as session:
        return (await lookup.project_by_name(session, await world.principal(who), name)).name


async def test_an_exact_name_goes_before_a_beginning(world: World) -> None:
    ids = await projects(world, "Data", "Data Science", "Straßenbau", "Äpfel")

    assert await project(world, " DATA ") == "Data"
    assert await project(world, "data s") == "Data Science"
    assert await project(world, "STRASSE") == "Straßenbau"
    assert await project(world, "äp") == "Äpfel"
    assert await project(world, ids["Äpfel"]) == "Äpfel"


@pytest.mark.parametrize("name", ["", " ", "%", "_ata", "Nothing", "x" * 500])
async def test_what_is_not_there_is_not_found(world: World, name: str) -> None:
    await projects(world, "Data")

    with pytest.raises(NotFound, match="no project"):
        await project(world, name)


async def test_a_choice_names_five_at_most(world: World) -> None:
    ids = await projects(world, *(f"Data {n}" for n in range(7)))

    with pytest.raises(Ambiguous) as caught:
        await project(world, "data")

    assert [n for n in range(7) if f"Data {n} ({ids[f'Data {n}']})" in caught.value.detail] == [0, 1, 2, 3, 4]
    assert "and others" in caught.value.detail


async def test_what_is_in_use_goes_before_what_is_archived(world: World) -> None:
    ids = await projects(world, "Data 2025", "Data 2026")
    async with world.database.write() as session:
        await archive_project(session, SITE, ids["Data 2025"])

    assert await project(world, "data", "admin") == "Data 2026"
    assert await project(world, "data 2025", "admin") == "Data 2025"
    with pytest.raises(NotFound):
        await project(world, "data 2025", "student")


async def test_every_kind_is_found_by_who_sees_it(world: World) -> None:
    ids = await projects(world, "Data")
    async with world.database.write() as session:
        track = await create_track(session, SITE, NewTrack(project_id=ids["Data"], name="Basics"))
    async with world.database.read() as session:
        student, stranger = await world.principal("student"), await world.principal("stranger")
        assert (await lookup.organization_by_name(session, student, "our")).id == world.ours
        assert (await lookup.track_by_name(session, student, "basic")).id == track.id
        assert (await lookup.course_by_name(session, student, "robot")).id == world.course
        with pytest.raises(Ambiguous):
            await lookup.course_by_name(session, await world.principal("site"), "robots")
        for find, name in (
            (lookup.organization_by_name, "Ours"),
            (lookup.track_by_name, track.id),
            (lookup.course_by_name, "Robots"),
        ):
            with pytest.raises(NotFound):
                await find(session, stranger, name)


async def test_a_track_is_told_by_its_project(world: World) -> None:
    ids = await projects(world, "Data", "Design")
    async with world.database.write() as session:
        made = {
            name: (await create_track(session, SITE, NewTrack(project_id=id, name="Basics"))).id
            for name, id in ids.items()
        }
    async with world.database.read() as session:
        student = await world.principal("student")
        with pytest.raises(Ambiguous, match=rf"Basics in Data \({made['Data']}\); Basics in Design"):
            await lookup.track_by_name(session, student, "basics")
        found = await lookup.track_by_name(session, student, "basics", project_id=ids["Design"])
    assert found.id == made["Design"]


async def test_the_archive_goes_first_where_it_is_asked_for(world: World) -> None:
    ids = await projects(world, "Data 2025", "Data 2026")
    async with world.database.write() as session:
        await archive_project(session, SITE, ids["Data 2025"])
    async with world.database.read() as session:
        admin = await world.principal("admin")
        found = await lookup.project_by_name(session, admin, "data", archived=True)
        assert found.id == ids["Data 2025"]
        assert (await lookup.project_by_name(session, admin, "data 2026", archived=True)).name == "Data 2026"


async def test_a_lesson_is_found_in_its_course_by_who_reads_it(world: World) -> None:
    async with world.database.read() as session:
        student, teacher = await world.principal("student"), await world.principal("teacher")
        for name in ("nodes", "nodes.md", world.lesson):
            assert (await lookup.lesson_by_name(session, student, world.course, name)).id == world.lesson
        assert (await lookup.lesson_by_name(session, student, None, world.lesson)).id == world.lesson
        assert (await lookup.lesson_by_name(session, teacher, world.course, "top")).id == world.draft
        for course, name in ((world.course, "topics"), (world.their_course, "nodes"), (None, "nodes")):
            with pytest.raises(NotFound, match="no lesson"):
                await lookup.lesson_by_name(session, student, course, name)


async def test_people_are_found_where_the_asker_may_look(world: World) -> None:
    async with world.database.read() as session:
        teacher, admin = await world.principal("teacher"), await world.principal("admin")
        for who in ("student@famulus.local", "Student", "stud", world["student"].id):
            found = await lookup.student_by_name(session, teacher, world.course, who)
            assert found.user_id == world["student"].id
        for who in ("teacher", world["teacher"].id, "idle", "stranger@famulus.local"):
            with pytest.raises(NotFound):
                await lookup.student_by_name(session, teacher, world.course, who)
        assert (await lookup.member_by_name(session, admin, world.ours, "idle")).user_id == world["idle"].id
        with pytest.raises(Forbidden):
            await lookup.member_by_name(session, teacher, world.ours, "idle")
