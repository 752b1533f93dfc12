"""Loading the demo: two organizations with real courses, a person in each role, and this server's API as material.

It is for a server on one's own machine.

Loading it again changes nothing, so every start may ask for it: an organization is planted when there is none of its
name, with all that belongs to it, and is left alone ever after.
"""

import tomllib
from pathlib import Path

import msgspec

from famulus.assistants.given import given_instructions
from famulus.assistants.registry import plant_global
from famulus.campus.seeding import PlannedLesson, is_planted, seed_organization
from famulus.cli.demo_plan import ACADEMY, ASSISTANTS, HARBOR, Material, academy, harbor
from famulus.cli.own_api import seed_api
from famulus.identity.passwords import Passwords
from famulus.kernel.database import Database
from famulus.kernel.errors import ConfigurationError
from famulus.knowledge.lessons import sync_course_lessons

PASSWORD = "password123"
SIGN_INS = (
    ("student@famulus.local", "a student of the course"),
    ("teacher@famulus.local", "its teacher"),
    ("admin@famulus.local", "the organization's admin"),
    ("site@famulus.local", "the site's admin"),
    ("both@famulus.local", "a student here, a teacher in a second organization"),
)
"""Those to begin with; `demo_plan` has all."""
PLANS = ((ACADEMY, academy), (HARBOR, harbor))


class _Lesson(msgspec.Struct):
    file: str
    title: str
    published: bool = True


class _Course(msgspec.Struct):
    title: str
    description: str
    lesson: list[_Lesson]


def examples() -> Path:
    """The folder of the demo's courses: in a checkout, or beside the package where it was installed with it."""
    here = Path(__file__).resolve()
    for root in (here.parents[3], here.parents[1]):
        if (root / "examples" / "robotics-course" / "course.toml").is_file():
            return root / "examples"
    raise ConfigurationError(
        "The demo course was not installed with this server; run `famulus seed` in a checkout."
    )


def read_course(folder: Path) -> Material:
    """A course as its `course.toml` and Markdown files describe it."""
    course = msgspec.convert(tomllib.loads((folder / "course.toml").read_text("utf-8")), _Course)
    lessons = [
        PlannedLesson(lesson.title, lesson.file, (folder / lesson.file).read_text("utf-8"), lesson.published)
        for lesson in course.lesson
    ]
    return Material(course.title, course.description, tuple(lessons))


async def seed_demo(database: Database, *, api: bool = True) -> bool:
    """Load what of the demo is missing; False when nothing is. Without `api` that is left for later."""
    async with database.read() as session:
        missing = [plan for name, plan in PLANS if not await is_planted(session, name)]
    told = api and await seed_api(database, anew=False)
    if not missing:
        return told
    folder = examples()
    passwords = Passwords()
    try:
        hashed = await passwords.hash(PASSWORD)
    finally:
        passwords.close()
    planted: list[str] = []
    async with database.write() as session:
        for plan in missing:
            organization = plan(lambda name: read_course(folder / name))
            planted += await seed_organization(session, organization, password_hash=hashed) or []
        if harbor in missing:
            for role, name in ASSISTANTS:
                await plant_global(session, name, given_instructions(role), role=role)
    for course_id in planted:
        await sync_course_lessons(database, course_id)
    return True
