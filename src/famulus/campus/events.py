"""What the campus tells the rooms above, after the commit that made it true."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CourseLessonsChanged:
    """A lesson of the course was added, changed or removed: what is known of it is no longer what it says."""

    course_id: str
    organization_id: str


@dataclass(frozen=True, slots=True)
class CourseChanged:
    """The course's own words, its publication or its assistant changed; its lessons did not."""

    course_id: str
    organization_id: str


@dataclass(frozen=True, slots=True)
class RightsChanged:
    """A person's memberships, enrolments or active organization changed, and with them what is theirs to see."""

    user_id: str | None
    """None when it concerns everybody of a place, which has been put away or taken out again."""
