"""Text as it comes in: trimmed, visible, within its bounds, and storable."""

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from famulus.kernel.text import Change, Clearable, Id, Moment, Name, clean_text, fold


@pytest.mark.parametrize("text", ["", "  \n ", "\u200b\u2060", "a\0b", "\ud800", "x" * 11])
def test_what_cannot_be_kept_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^This .*\.$"):
        clean_text(text, 10)


def test_bounds_count_what_is_kept() -> None:
    assert clean_text("  " + "x" * 10 + "\n", 10) == "x" * 10
    assert clean_text("", 10, min_length=0) == ""
    assert clean_text("  x", 10, strip=False) == "  x"
    assert clean_text("a\nb", 10) == "a\nb"


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\u2028b", "a\x1bb"])
def test_a_name_is_one_line(text: str) -> None:
    with pytest.raises(ValidationError, match="single line"):
        TypeAdapter(Name).validate_python(text)


def test_a_name_says_its_bounds_in_the_schema() -> None:
    assert TypeAdapter(Name).json_schema() == {"type": "string", "minLength": 1, "maxLength": 200}


def test_names_that_differ_in_case_alone_are_one() -> None:
    assert fold("Straße ÄÖÜ") == fold("STRASSE äöü")
    assert fold("Robots") != fold("Robot")


class Moved(Change):
    """A change of each kind of field."""

    title: Name | None = None
    track_id: Clearable[Id] = None


def test_null_is_a_value_where_a_field_says_so() -> None:
    assert Moved.model_validate({}).given() == {}
    assert Moved.model_validate({"track_id": None}).given() == {"track_id": None}
    assert Moved.model_validate({"track_id": "trk_1", "title": "New"}).given() == {
        "track_id": "trk_1",
        "title": "New",
    }
    with pytest.raises(ValidationError, match="null is not a value"):
        Moved.model_validate({"title": None})
    with pytest.raises(ValidationError, match="pattern"):
        Moved.model_validate({"track_id": "no id"})


@pytest.mark.parametrize("text", ["2026-11-20T19:00:00Z", "2026-11-20t21:00:00.000+02:00"])
def test_a_time_is_kept_in_utc(text: str) -> None:
    assert TypeAdapter(Moment).validate_python(text) == datetime(2026, 11, 20, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("2026-11-20T19:00:00", "in which zone"),
        ("2026-11-20", "like 2026-11-20T19:00:00Z"),
        ("20261120T190000Z", "like 2026-11-20T19:00:00Z"),
        (1790000000, "like 2026-11-20T19:00:00Z"),
        (True, "like 2026-11-20T19:00:00Z"),
        ("2026-02-30T19:00:00Z", "no such time"),
        ("0001-01-01T00:00:00+23:59", "between the years"),
        ("9999-12-31T23:59:59-23:59", "between the years"),
    ],
)
def test_a_time_that_cannot_be_kept_is_refused(value: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TypeAdapter(Moment).validate_python(value)


def test_a_time_is_one_in_the_schema() -> None:
    assert TypeAdapter(Moment).json_schema() == {"type": "string", "format": "date-time"}
