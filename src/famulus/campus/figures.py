"""What the rooms above may know of people and their tasks; rights are theirs to ask."""

from datetime import datetime

from sqlalchemy import Select, func, select

from famulus.campus.models import Enrolment, Membership, Task


def learners(course_id: str) -> Select[int]:
    """How many learn in a course."""
    return select(func.count()).where(Enrolment.course_id == course_id, Enrolment.role == "student")


def members(organization_id: str) -> Select[int]:
    """How many belong to an organization."""
    return select(func.count()).where(Membership.organization_id == organization_id)


def done_tasks(user_id: str) -> Select[str, str, datetime | None]:
    """What a person has finished of their to-dos. Nobody but that person may see it."""
    return select(Task.id, Task.title, Task.done_at).where(Task.user_id == user_id, Task.done_at.is_not(None))
