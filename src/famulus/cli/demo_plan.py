"""What the demo consists of: organizations, people, projects, tracks and courses, and who answers which role."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from famulus.campus.seeding import (
    Person,
    PlannedCourse,
    PlannedLesson,
    PlannedOrganization,
    PlannedProject,
    PlannedTask,
    PlannedTrack,
)
from famulus.identity.principal import Role

ACADEMY, HARBOR = "Demo Academy", "Harbor School"
SITE, ADMIN = "site@famulus.local", "admin@famulus.local"
TEACHER, STUDENT, BOTH = "teacher@famulus.local", "student@famulus.local", "both@famulus.local"
HARBOR_ADMIN, HARBOR_STUDENT = "harbor-admin@famulus.local", "harbor-student@famulus.local"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Material:
    """A course as its folder describes it."""

    title: str
    description: str
    lessons: tuple[PlannedLesson, ...]

    def taught(self, people: Mapping[str, Literal["teacher", "student"]]) -> PlannedCourse:
        """The course with the people in it."""
        return PlannedCourse(self.title, self.description, self.lessons, people)


Read = Callable[[str], Material]
"""Reads a course by the name of its folder."""


def academy(read: Read) -> PlannedOrganization:
    """The organization of the tutorial."""
    robotics = read("robotics-course").taught({TEACHER: "teacher", STUDENT: "student"})
    python = read("python-course").taught({TEACHER: "teacher", BOTH: "student"})
    return PlannedOrganization(
        ACADEMY,
        (
            Person(SITE, "Sasha Site", role=None, site_admin=True),
            Person(ADMIN, "Alex Admin", role="organization_admin"),
            Person(TEACHER, "Toni Teacher", role="teacher", tasks=TEACHER_TASKS),
            Person(STUDENT, "Sam Student", role="student", tasks=STUDENT_TASKS),
            Person(BOTH, "Robin Both", role="student"),
        ),
        projects=(
            PlannedProject(
                "Robotics Lab",
                "From the first line of Python to a robot that finds its own way.",
                (
                    PlannedTrack("Foundations", "beginner", "What every later course builds on.", (python,)),
                    PlannedTrack(
                        "Mobile Robots", "intermediate", "Robots that drive, map and deliver.", (robotics,)
                    ),
                ),
            ),
        ),
    )


def harbor(read: Read) -> PlannedOrganization:
    """A second organization, so that there is something that the first must not see."""
    statistics = read("statistics-course").taught({BOTH: "teacher", HARBOR_STUDENT: "student"})
    return PlannedOrganization(
        HARBOR,
        (
            Person(HARBOR_ADMIN, "Hanna Harbor", role="organization_admin"),
            Person(BOTH, "Robin Both", role="teacher"),
            Person(HARBOR_STUDENT, "Kim Keel", role="student"),
        ),
        projects=(
            PlannedProject(
                "Data Science Foundations",
                "Reading numbers without being fooled by them.",
                (
                    PlannedTrack(
                        "Statistics",
                        "beginner",
                        "From a table of numbers to a careful statement.",
                        (statistics,),
                    ),
                ),
            ),
        ),
    )


STUDENT_TASKS = (
    PlannedTask("Set up the workspace", "Lesson 1: install the packages and build once.", done=True),
    PlannedTask("Read about quality of service", "Lesson 2, up to the table of profiles.", due_in=3 * DAY),
    PlannedTask("Map the library in simulation", "Lesson 10. Keep the map for lesson 11.", due_in=10 * DAY),
    PlannedTask("Choose a partner for the final project"),
)
TEACHER_TASKS = (
    PlannedTask(
        "Publish the grading notes?", "They are a draft: decide what students may see.", due_in=7 * DAY
    ),
    PlannedTask("Collect questions for the next exercise hour"),
)

ASSISTANTS: tuple[tuple[Role, str], ...] = (
    ("site_admin", "Famulus for the Site"),
    ("organization_admin", "Famulus for Organizations"),
    ("teacher", "Famulus for Teachers"),
)
"""By role, the assistant's name; what it is told stands in the file of its role. All others have the default one."""
