"""Events: their ids, and the journal's rows, which give back exactly what was written."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from famulus.conversations.parts import Citation
from famulus.runs.events import (
    START,
    AnswerRestarted,
    BadEventId,
    CitationAdded,
    Entry,
    Event,
    EventId,
    Problem,
    ReasoningDelta,
    RunCancelled,
    RunCompleted,
    RunFailed,
    TextDelta,
    ToolCalled,
    ToolFinished,
    Usage,
    decode_row,
    encode_row,
    parse_id,
)
from famulus.runs.sql.rows import PIECES, journal_rows

texts = st.text(st.characters(codec="utf-8"), max_size=12)
deltas = st.builds(TextDelta, texts) | st.builds(ReasoningDelta, texts)
others = st.one_of(
    st.builds(ToolCalled, texts, texts, texts),
    st.builds(ToolFinished, texts, texts, st.sampled_from(["ok", "failed", "unknown"]), texts),
    st.builds(AnswerRestarted, texts),
    st.builds(RunCancelled, texts),
    st.builds(RunCompleted, texts, st.builds(Usage, st.integers(0, 9), st.integers(0, 9))),
    st.builds(RunFailed, texts, st.builds(Problem, texts, texts, st.booleans())),
    st.builds(
        CitationAdded,
        st.builds(Citation, st.integers(1, 9), texts, texts, texts, st.tuples(texts), texts, texts),
    ),
)
events = st.lists(st.one_of(deltas, deltas, others), max_size=30)


@given(events, st.integers(1, 1000), st.integers(1, 9))
def test_what_is_journalled_comes_back(written: list[Event], first: int, epoch: int) -> None:
    rows = journal_rows(first, written)

    read = [entry for n, row in rows for entry in decode_row(epoch, n, encode_row(row))]

    assert read == [Entry(EventId(epoch, n), event) for n, event in enumerate(written, first)]


@given(events)
def test_consecutive_text_shares_a_row(written: list[Event]) -> None:
    rows = journal_rows(1, written)

    kinds = [type(row[0]) if isinstance(row[0], PIECES) else None for _, row in rows]
    assert not any(one is not None and one is other for one, other in pairwise(kinds))
    assert all(len(row) == 1 for _, row in rows if not isinstance(row[0], PIECES))


@pytest.mark.parametrize("text", ["1.7", " 1.7 "])
def test_an_id_is_read(text: str) -> None:
    assert parse_id(text) == EventId(1, 7)


@pytest.mark.parametrize("text", [None, "", "  "])
def test_no_id_is_the_start(text: str | None) -> None:
    assert parse_id(text) == START


@pytest.mark.parametrize(
    "text", ["7", "1.", ".7", "-1.7", "1.7.9", "a.b", "1,7", "1.9999999999", "٣.٧", "1.7\n2"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadEventId):
        parse_id(text)


def test_ids_are_in_the_order_of_events() -> None:
    assert START < EventId(1, 1) < EventId(1, 10) < EventId(2, 1)
    assert str(EventId(2, 13)) == "2.13"
