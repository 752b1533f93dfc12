"""The demo: one organization with a real course and a person in each role, for a server on somebody's own machine.

Loading it again changes nothing, so every start may ask for it.
"""

import tomllib
from pathlib import Path

import msgspec

from famulus.campus.seeding import Person, PlannedCourse, PlannedLesson, seed_organization
from famulus.identity.passwords import Passwords
from famulus.kernel.database import Database
from famulus.kernel.errors import ConfigurationError
from famulus.knowledge.lessons import sync_course_lessons

ORGANIZATION = "Demo Academy"
PASSWORD = "password123"
SIGN_INS = (
    ("student@famulus.local", "a student of the course"),
    ("teacher@famulus.local", "its teacher"),
    ("admin@famulus.local", "the organization's admin"),
    ("site@famulus.local", "the site's admin"),
)
PEOPLE = (
    Person("site@famulus.local", "Sasha Site", role=None, site_admin=True),
    Person("admin@famulus.local", "Alex Admin", role="organization_admin"),
    Person("teacher@famulus.local", "Toni Teacher", role="teacher", enrolled="teacher"),
    Person("student@famulus.local", "Sam Student", role="student", enrolled="student"),
)


class _Lesson(msgspec.Struct):
    file: str
    title: str
    published: bool


class _Course(msgspec.Struct):
    title: str
    description: str
    lesson: list[_Lesson]


def material() -> Path:
    """The folder of the demo course: in a checkout, or beside the package where it was installed with it."""
    here = Path(__file__).resolve()
    for root in (here.parents[3], here.parents[1]):
        place = root / "examples" / "robotics-course"
        if (place / "course.toml").is_file():
            return place
    raise ConfigurationError(
        "The demo course was not installed with this server; run `famulus seed` in a checkout."
    )


def read_course(folder: Path) -> PlannedCourse:
    """The course as its `course.toml` and Markdown files describe it."""
    course = msgspec.convert(tomllib.loads((folder / "course.toml").read_text("utf-8")), _Course)
    lessons = [
        PlannedLesson(lesson.title, lesson.file, (folder / lesson.file).read_text("utf-8"), lesson.published)
        for lesson in course.lesson
    ]
    return PlannedCourse(course.title, course.description, tuple(lessons))


async def seed_demo(database: Database) -> bool:
    """Load the demo; False when it was there."""
    folder = material()
    planned = read_course(folder)
    passwords = Passwords()
    try:
        hashed = await passwords.hash(PASSWORD)
    finally:
        passwords.close()
    async with database.write() as session:
        course_id = await seed_organization(session, ORGANIZATION, PEOPLE, planned, password_hash=hashed)
    if course_id is None:
        return False
    await sync_course_lessons(database, course_id)
    return True
