"""Where a walk over passages and names ends up."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from famulus.knowledge.walking import Graph, Place

PUMP, ADA, PORT, LAMP = 1, 2, 3, 4
NAME_ADA, NAME_PORT, NAME_LAMP = 10, 20, 30


def chain() -> Graph:
    """The pump's passage names Ada, hers names the port; the lamp stands apart."""
    return Graph(
        {
            NAME_ADA: [Place(ADA, about=True), Place(PUMP, about=False)],
            NAME_PORT: [Place(PORT, about=True), Place(ADA, about=False)],
            NAME_LAMP: [Place(LAMP, about=True)],
        }
    )


def test_it_leads_from_passage_to_passage_by_names() -> None:
    graph = chain()
    graph.walk({PUMP: 5.0, LAMP: -5.0}, ())

    assert graph.mass[ADA] > graph.mass[PORT] > graph.mass[LAMP]
    assert [passage for passage, _ in graph.rerank({PUMP: 1.0, LAMP: 0.0})][-1] == LAMP


def test_a_name_in_the_question_is_a_beginning() -> None:
    graph = chain()
    graph.walk({LAMP: 1.0}, [NAME_PORT])

    assert graph.mass[PORT] > graph.mass[ADA] > graph.mass[PUMP] > 0


def test_it_begins_at_a_passage_as_likely_as_that_is_the_right_one() -> None:
    graph = chain()
    graph.walk({PUMP: math.log(3), LAMP: 0.0}, ())
    clear = chain()
    clear.walk({PUMP: math.log(300), LAMP: 0.0}, ())

    assert graph.mass[PUMP] == pytest.approx(3 * graph.mass[LAMP], rel=0.5)
    assert clear.mass[LAMP] < graph.mass[LAMP] / 10


def test_it_tells_the_way() -> None:
    graph = chain()
    graph.walk({PUMP: 1.0}, ())

    assert graph.came_by(PORT) == (ADA, NAME_PORT, NAME_PORT)
    assert graph.came_by(ADA) == (PUMP, NAME_ADA, NAME_ADA)
    assert graph.came_by(LAMP) is None


def test_what_is_written_in_small_letters_leads_on_but_not_back() -> None:
    graph = Graph({NAME_PORT: [Place(PORT, about=True)]}, passing={PUMP: {NAME_PORT}})
    graph.walk({PUMP: 1.0}, ())

    assert graph.mass[PORT] > 0
    assert graph.came_by(PORT) == (PUMP, NAME_PORT, NAME_PORT)


def test_a_common_name_leads_to_each_less_surely() -> None:
    graph = Graph(
        {
            NAME_ADA: [Place(PUMP, about=False), Place(ADA, about=False)],
            NAME_PORT: [Place(PUMP, about=False), *(Place(100 + n, about=False) for n in range(30))],
        }
    )
    graph.walk({PUMP: 1.0}, ())

    assert graph.mass[ADA] > 10 * graph.mass[100]


PASSAGES = st.integers(0, 9)


@given(
    st.dictionaries(
        st.integers(10, 19),
        st.lists(
            st.builds(Place, PASSAGES, st.booleans()), min_size=1, max_size=6, unique_by=lambda p: p.passage
        ),
        max_size=8,
    ),
    st.dictionaries(PASSAGES, st.floats(0, 1), min_size=1),
    st.lists(st.integers(10, 19)),
)
def test_mass_never_grows_and_never_leaves_the_graph(
    names: dict[int, list[Place]], ranked: dict[int, float], seeds: list[int]
) -> None:
    graph = Graph(names)
    graph.walk(ranked, seeds)

    assert set(graph.mass) <= {place.passage for places in names.values() for place in places} | set(ranked)
    assert sum(graph.mass.values()) <= 1 + 1e-9
    assert all(0 <= score <= 1 + 1e-9 for _, score in graph.rerank(ranked))
    assert graph.rerank(ranked)[0][1] == pytest.approx(max(score for _, score in graph.rerank(ranked)))
