"""Text as it comes in: trimmed, visible, within its bounds, and storable."""

import pytest
from pydantic import TypeAdapter, ValidationError

from famulus.kernel.text import Name, clean_text, fold


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
