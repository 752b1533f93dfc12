"""Which words carry a question, and which stand inside others."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from famulus.knowledge.words import MAX_TERMS, fold, held, inner_words, read_question, stem_of, stems_of


def test_stop_words_carry_nothing() -> None:
    assert read_question("What is the default QoS of a topic?").terms == ("default", "qos", "topic")


def test_a_question_of_stop_words_alone_still_asks_for_something() -> None:
    assert read_question("what is it").terms == ("what", "is", "it")
    assert read_question("What is C?").terms == ("c",)


@pytest.mark.parametrize(
    ("name", "terms", "phrase"),
    [
        ("cmd_vel", ("cmd", "vel"), ("cmd", "vel")),
        ("nav2_costmap_2d", ("nav2", "costmap", "2d"), ("nav2", "costmap", "2d")),
        (
            "geometry_msgs/msg/Twist",
            ("geometry", "msgs", "msg", "twist"),
            ("geometry", "msgs", "msg", "twist"),
        ),
        ("std::vector", ("std", "vector"), ("std", "vector")),
        ("rclpy.node.Node", ("rclpy", "node"), ("rclpy", "node", "node")),
        ('"lifecycle node"', ("lifecycle", "node"), ("lifecycle", "node")),
        ("“quality of service”", ("quality", "service"), ("quality", "of", "service")),
    ],
)
def test_names_and_quotations_are_words_and_a_phrase(
    name: str, terms: tuple[str, ...], phrase: tuple[str, ...]
) -> None:
    question = read_question(f"Explain {name}")

    assert question.terms == terms
    assert phrase in question.phrases


def test_a_leading_slash_is_no_word() -> None:
    assert read_question("Who publishes /scan?").terms == ("publishes", "scan")


def test_camel_case_is_whole_and_in_parts() -> None:
    assert read_question("LaserScan HTTPServer").terms == (
        *("laserscan", "laser", "scan"),
        *("httpserver", "http", "server"),
    )
    assert inner_words("a LaserScan and getHTTPServer") == "laser scan get http server"
    assert inner_words("Nothing Hidden Here") == ""


def test_accents_are_folded() -> None:
    assert read_question("Crème brûlée").terms == ("creme", "brulee")
    assert inner_words("une crème") == "creme"
    assert fold("ÄÖÜ straße") == "aou straße"


def test_scripts_without_blanks_are_pairs() -> None:
    assert read_question("机器人导航").terms == ("机器", "器人", "人导", "导航")
    assert inner_words("ROS 2 机器人") == "机器 器人"


def test_other_scripts_are_words() -> None:
    assert read_question("Как работает робот?").terms == ("как", "работает", "робот")
    assert read_question("नमस्ते दुनिया").terms[1:] == ("दुनिया",)


def test_a_pasted_page_is_cut() -> None:
    assert len(read_question(" ".join(f"word{n}" for n in range(5_000))).terms) == MAX_TERMS


@given(st.text(max_size=300))
def test_nothing_but_letters_and_digits_leaves(text: str) -> None:
    question = read_question(text)

    for word in (*question.terms, *(word for phrase in question.phrases for word in phrase)):
        assert word
        assert not set(word) & set("\"'*^:()-+{}\0 \t\n\\")


@given(
    st.text(st.sampled_from("abesyi _-ÉéX2机") | st.characters(), max_size=60),
    st.lists(st.text(st.sampled_from("abesyiéx2机"), min_size=1, max_size=6)),
)
def test_stems_that_are_wanted_are_found_as_among_all(text: str, words: list[str]) -> None:
    wanted = {*map(stem_of, words), *list(stems_of(text))[:3]}

    assert held(wanted, text) == wanted & stems_of(text)


def test_stems_meet_across_forms() -> None:
    assert stems_of("publishing") & stems_of("publisher")
    assert stems_of("a laser scan") <= stems_of("A LaserScan")


def test_long_questions_are_read_quickly() -> None:
    started = time.thread_time()
    for sign in ("x", "x_", "\u0300", "xY", '"', '"x', "x.", "机"):
        read_question(sign * 10_000)
        inner_words(sign * 10_000)

    assert time.thread_time() - started < 20
