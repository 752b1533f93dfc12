"""Which questions lean on what was said before, and what they take from there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from famulus.knowledge.followup import Said, leans, stand_alone


def talk(*texts: str) -> list[Said]:
    """Messages by turns, the user's last."""
    return [Said((len(texts) - n) % 2 == 1, text) for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    "question",
    [
        "Why?",
        "How fast is it when the sun shines?",
        "And what becomes of the water in winter then?",
        "What about the second pump of the house?",
        "Where was she born, and in which year?",
        "Could you please say what exactly does that mean?",
        "Do you know who built those, please?",
    ],
)
def test_what_leans(question: str) -> None:
    assert leans(question)


@pytest.mark.parametrize(
    "question",
    [
        "How does the watering timer know when it has to stop?",
        "Which sensor tells that the soil is moist?",
        "What does a lifecycle node do before it is activated?",
        "How many people live in Port Ellery today?",
    ],
)
def test_what_stands_alone(question: str) -> None:
    assert not leans(question)
    assert stand_alone(talk("Who is Ada Lowe?", "An engineer.", question)) == question


def test_a_pronoun_takes_the_names_of_the_question_and_of_the_answer() -> None:
    found = stand_alone(
        talk("Who built the greenhouse pump?", "It was built by Ada Lowe [1].", "Where was she born?")
    )

    assert found == "Where was she born? Ada Lowe built greenhouse pump"


def test_what_an_answer_says_without_a_citation_is_not_taken_over() -> None:
    found = stand_alone(
        talk("Who built the pump?", "Ask Tom Reed. Ada Lowe did. [2] So says Lin.", "Where was she born?")
    )

    assert found == "Where was she born? Ada Lowe built pump"


def test_what_is_left_out_is_taken_from_the_question_before() -> None:
    found = stand_alone(talk("What is the default rate of /cmd_vel?", "Ten [1].", "And the largest?"))

    assert found.startswith("And the largest? ")
    assert {"default", "rate"} <= set(found.split())
    assert "cmd_vel" in found
    assert "Ten" not in found


def test_it_may_lean_on_one_that_leans() -> None:
    found = stand_alone(
        talk("Who is Ada Lowe?", "An engineer.", "Where was she born?", "In a town.", "Why there?")
    )

    assert "Ada Lowe" in found
    assert "born" in found


def test_only_so_far_back() -> None:
    found = stand_alone(talk("Who is Ada Lowe?", *["Yes.", "Why?"] * 8))

    assert "Ada" not in found


def test_with_nothing_before_it_is_what_it_is() -> None:
    assert stand_alone(talk("Why?")) == "Why?"


@given(st.lists(st.text(max_size=200), min_size=1, max_size=9))
def test_any_talk_begins_with_what_was_asked(texts: list[str]) -> None:
    assert stand_alone(talk(*texts)).startswith(texts[-1])
