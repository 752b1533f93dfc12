"""What rooms above may count of runs: whose, where, how they ended. Never what was said; rights are theirs to add."""

from datetime import datetime

from sqlalchemy import Select, select

from famulus.runs.models import Run


def turns() -> Select[str, str, str, str, int, int, int, int | None, datetime]:
    """Every run, with how it ended and what it took."""
    return select(
        Run.id,
        Run.thread_id,
        Run.user_id,
        Run.status,
        Run.cited,
        Run.input_tokens,
        Run.output_tokens,
        Run.cost,
        Run.created_at,
    )
