"""Names in texts, headings and questions: what counts as one, and which spellings are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from famulus.knowledge.names import MOST, file_number, key_of, names_of, number_of, spans, spelled, spellings


def named(text: str) -> set[str]:
    return {spelling for spelling, _ in spellings(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The pump was built by Ada Lowe in Port Ellery.", {"Ada Lowe", "Port Ellery"}),
        (
            "It is in the hands of the University of Port Ellery.",
            {"University of Port Ellery", "Port Ellery"},
        ),
        ("When Ada came, the lamp was lit.", {"Ada"}),
        ("Send `cmd_vel` to the base.", {"cmd_vel"}),
        ("A LaserScan is what rclpy.spin waits for.", {"LaserScan", "rclpy.spin", "spin"}),
        ("Call GET /pets/{petId}/toys for it.", {"/pets/{petId}/toys", "toys"}),
        ("This is **dead reckoning**, or “blind guessing”.", {"dead reckoning", "blind guessing"}),
        ("Was ist eine Übertragung?", {"Übertragung"}),
    ],
)
def test_what_is_a_name(text: str, expected: set[str]) -> None:
    assert expected <= named(text)


def test_what_is_none() -> None:
    assert named("The lamp is lit. When it is dark, this helps. However, see 12.") == set()


def test_spellings_of_one_name() -> None:
    assert key_of("Particle Filters") == key_of("particle filter") == key_of("PARTICLE-FILTER")
    assert key_of("Ada's pump") == key_of("Ada pump")


def test_a_passage_is_about_its_title_and_its_heading() -> None:
    found = names_of(
        "Ada Lowe (engineer)", ("Life", "3.2 Her pumps"), "She knew Ada Lowe well, and Tom Reed."
    )

    about = {
        number_of(key_of(name)) for name in ("Ada Lowe", "Ada Lowe (engineer)", "Her pumps", "3.2 Her pumps")
    }
    assert set(found.about) == about
    assert number_of(key_of("Tom Reed")) in found.passing
    assert not about & set(found.passing)


def test_a_link_names_the_file_it_leads_to() -> None:
    found = names_of("Intro", (), "See the frames.", ("../02/Frames.md#top", "/lessons/frames"))

    assert found.passing == (file_number("b/c/frames.md"),)


def test_how_a_text_spells_a_name() -> None:
    assert (
        spelled(number_of(key_of("particle filter")), "All of it is a Particle Filter.") == "Particle Filter"
    )
    assert spelled(number_of(key_of("particle filter")), "Nothing of it.") is None


def test_the_names_of_a_question_are_looked_for_in_every_stretch_of_it() -> None:
    found = spans("Who built the pump of Port Ellery?")
    by_number = {span.number: span for span in found}

    assert by_number[number_of(key_of("Port Ellery"))].written_as_name
    assert not by_number[number_of(key_of("pump"))].written_as_name
    assert number_of(key_of("the pump")) not in by_number


@given(st.text(max_size=3_000))
def test_any_text_has_few_names_that_are_numbers_of_63_bits(text: str) -> None:
    found = names_of(text[:50], (text[:20],), text)

    assert len(found.passing) <= MOST
    assert all(0 <= name < 2**63 for name in (*found.about, *found.passing))
    assert len({*found.about, *found.passing}) == len(found.about) + len(found.passing)
    spans(text[:500])
