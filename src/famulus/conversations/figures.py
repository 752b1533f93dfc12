"""What rooms above may count of conversations: whose and where. Never what was said; rights are theirs to add."""

from datetime import datetime

from sqlalchemy import Select, select

from famulus.conversations.models import Feedback, Thread


def thread_facts() -> Select[str, str, str | None, str | None, str | None, datetime]:
    """Every thread; its title is its owner's alone."""
    return select(
        Thread.id, Thread.user_id, Thread.organization_id, Thread.course_id, Thread.title, Thread.created_at
    )


def ratings() -> Select[str, str, datetime]:
    """What was thought of answers, by thread, without a word of it."""
    return select(Feedback.thread_id, Feedback.rating, Feedback.created_at)
