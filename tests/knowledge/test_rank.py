"""From hits to passages: coverage, quotes, repetitions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from famulus.knowledge.rank import (
    PER_DOCUMENT,
    QUOTE,
    Candidate,
    Ranked,
    asks,
    choose,
    coverage,
    quote,
    rarity,
    rate,
    worth,
)
from famulus.knowledge.words import stems_of

TEXT = """The base listens to `/cmd_vel`. It stops when commands cease for half a second, so that nothing breaks.

```python
node.create_publisher(Twist, "cmd_vel", 10)
```

- A **watchdog** is a timer that stops the base.
- What is a watchdog?
"""


def candidate(
    key: str, text: str, *, document: str = "", score: float = 1.0, nearness: float | None = None
) -> Candidate:
    return Candidate(key, document or key, score, frozenset(stems_of(text)), (text, ""), asks(text), nearness)


def chosen_of(weights: dict[str, float], candidates: list[Candidate], limit: int) -> list[Ranked]:
    return choose(rate(weights, candidates), {one.key: one for one in candidates}, limit)


def weights_of(question: str) -> dict[str, float]:
    return rarity(dict.fromkeys(question.split(), 1), 100)


def test_rare_words_weigh_more() -> None:
    weights = rarity({"robot": 90, "gyroscope": 1, "sourdough": 0}, 100)

    assert weights["robot"] < weights["gyroscop" if "gyroscop" in weights else "gyroscope"]
    assert max(weights.values()) == weights[next(iter(stems_of("sourdough")))]


def test_coverage_is_the_share_of_the_question() -> None:
    weights = weights_of("wheel axle")

    assert coverage(weights, stems_of("wheels on axles")) == 1.0
    assert coverage(weights, stems_of("a wheel")) == 0.5
    assert coverage(weights, stems_of("bread")) == 0.0
    assert coverage({}, stems_of("bread")) == 0.0


def test_a_quote_is_the_sentence_that_says_it() -> None:
    assert quote(weights_of("commands cease"), TEXT).startswith("It stops when commands cease")
    assert quote(weights_of("watchdog timer"), TEXT) == "A **watchdog** is a timer that stops the base."


def test_a_sentence_that_asks_is_no_quote_if_another_tells() -> None:
    assert quote(weights_of("watchdog"), "What is a watchdog? A watchdog is a timer.").endswith("is a timer.")


def test_code_is_quoted_where_there_is_nothing_else() -> None:
    assert quote({}, "```python\nnode.spin()\n```") == "node.spin()"


@given(st.text(max_size=2_000))
def test_a_quote_is_a_slice_and_short(text: str) -> None:
    found = quote(weights_of("robot"), text)

    assert found in text
    assert len(found) <= QUOTE


def test_few_of_one_document_and_no_repetitions() -> None:
    same = [candidate(f"a{n}", f"wheel number {n} of many {n * 7}", document="a") for n in range(9)]
    copies = [candidate(f"b{n}", "exactly the same wheel", document=f"b{n}", score=0.9) for n in range(4)]

    chosen = [ranked.key for ranked in chosen_of(weights_of("wheel"), [*same, *copies], 10)]

    assert len([key for key in chosen if key.startswith("a")]) == PER_DOCUMENT
    assert len([key for key in chosen if key.startswith("b")]) == 1


def test_exercises_come_after_what_answers() -> None:
    exercises = candidate("ask", "1. What is a wheel?\n2. What is an axle? Name two.", score=1.0)
    answer = candidate("tell", "A wheel turns on an axle.", score=0.9)

    assert [ranked.key for ranked in chosen_of(weights_of("wheel axle"), [exercises, answer], 2)] == [
        "tell",
        "ask",
    ]


@pytest.mark.parametrize(
    ("words", "meaning", "first"),
    [
        ((12.0, 2.0), (0.41, 0.44), "words"),  # all are as near as one another, which says nothing
        ((2.5, 2.0), (0.35, 0.70), "meaning"),
        ((12.0, 2.0), (0.30, None), "words"),
        ((2.0, 2.5), (0.30, None), "meaning"),  # its vector is still to come, which says nothing either
    ],
)
def test_what_tells_the_passages_apart_decides(
    words: tuple[float, float], meaning: tuple[float, float | None], first: str
) -> None:
    found = [
        candidate("words", "wheel", score=words[0], nearness=meaning[0]),
        candidate("meaning", "wheel too", score=words[1], nearness=meaning[1]),
    ]

    rated = rate(weights_of("wheel"), found)

    assert next(one.key for one in rated) == first
    assert [one.score for one in rated] == [1.0, 0.0]


def test_what_meaning_has_found_is_credited_with_its_words() -> None:
    weights = weights_of("wheel axle")
    found = [
        candidate("hit", "wheel axle", score=9.0, nearness=0.5),
        candidate("with", "an axle", score=0.0, nearness=0.4),
        candidate("without", "bread", score=0.0, nearness=0.4),
    ]

    odds = {one.key: one.odds for one in rate(weights, found)}

    assert odds["hit"] > odds["with"] > odds["without"]


def test_what_is_not_among_the_hits_by_words_has_no_more_than_the_last_of_them() -> None:
    weights = weights_of("wheel axle")
    found = [
        candidate("first", "wheel axle", score=2.0, nearness=0.4),
        candidate("last", "wheel axle", score=1.0, nearness=0.4),
        candidate("other", "wheel axle too", score=0.0, nearness=0.4),
    ]

    odds = {one.key: one.odds for one in rate(weights, found)}

    assert odds["first"] > odds["last"] == odds["other"]


def test_the_odds_say_how_far_apart_scores_are() -> None:
    found = [candidate(str(n), "wheel", score=0.0, nearness=n / 10) for n in range(4)]

    rated = rate(weights_of("wheel"), found)

    assert rated[0].odds - rated[-1].odds == pytest.approx(20 * 0.3)
    assert [one.score for one in rated] == pytest.approx([1, 2 / 3, 1 / 3, 0])


@pytest.mark.parametrize(
    ("coverage", "nearness", "enough", "is_worth"),
    [
        (0.5, None, 0.5, True),
        (0.3, None, 0.5, False),
        (0.3, 0.9, None, False),  # of a model that was not measured
        (0.0, 0.6, 0.5, True),
        (0.5, 0.3, 0.5, False),  # its words are used in another sense
        (0.5, 0.4, 0.5, True),
    ],
)
def test_words_and_meaning_are_enough_together(
    coverage: float, nearness: float | None, enough: float | None, *, is_worth: bool
) -> None:
    assert worth(coverage, nearness, enough) is is_worth


def test_nothing_comes_of_nothing() -> None:
    assert chosen_of({}, [], 5) == []
