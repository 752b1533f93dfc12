"""The script's syntax, and what is said about mistakes in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from famulus.kernel.errors import ConfigurationError
from famulus.llm.script_file import ScriptedCall, parse_script
from famulus.llm.words import pieces


def texts(script: str) -> list[str]:
    return [reply.text for reply in parse_script(script, source="s.md").replies]


@pytest.mark.parametrize(
    "script",
    [
        "One.\n--- message\nTwo.",
        "One.\n--- message\nTwo.\n",
        "\n\nOne.\n\n--- message\n\nTwo.\n\n",
        "--- message\nOne.\n--- message  \nTwo.\n--- message\n",
        "\ufeffOne.\r\n--- message\r\nTwo.\r\n",
    ],
)
def test_replies_are_parted_by_a_line(script: str):
    assert texts(script) == ["One.", "Two."]


def test_what_is_not_quite_a_separator_is_text():
    script = "a --- message\n---\n--- messages\n--- message b\n    --- message"
    assert texts(script) == [script]


def test_directives():
    script = (
        'Plain.\n--- message\n@when a|b\n@tool look {"x": [1]}\n@tool see\n@rate 20\n@delay 0.5\n'
        "\n  Text.\n@rate 1"
    )
    _, reply = parse_script(script, source="s.md").replies
    assert reply.when is not None
    assert reply.when.search("xBx")
    assert reply.calls == (ScriptedCall("look", '{"x": [1]}'), ScriptedCall("see", "{}"))
    assert (reply.rate, reply.delay, reply.fail, reply.text) == (20, 0.5, None, "  Text.\n@rate 1")
    assert parse_script(script, source="s.md").cycle == (0,)


def test_names_that_are_no_directives_are_text():
    assert texts("@alice said so\n@whenever") == ["@alice said so\n@whenever"]


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("", "s.md: there is no reply"),
        (" \n\n--- message\n\n", "s.md: there is no reply"),
        ("One.\n--- message\n\n--- message\nThree.", "s.md, line 3: this reply has no text"),
        ("One.\n--- message\n@rate 5\n", "s.md, line 3: this reply has no text"),
        ("@when (\nx", "s.md, line 1: `(` is not a regular expression"),
        ("@when\nx", "s.md, line 1: write a regular expression"),
        (
            "One.\n\n--- message\n\n@rate 2\n@tool f {bad}\nx",
            "s.md, line 6: the arguments of f are not a JSON object",
        ),
        ("@tool f [1]\nx", "s.md, line 1: the arguments of f"),
        ("@tool\nx", "s.md, line 1: write the tool's name"),
        ('@tool {"a": 1}\nx', "s.md, line 1: write the tool's name"),
        ("@rate 0\nx", "s.md, line 1: write a number"),
        ("@rate fast\nx", "s.md, line 1: write a number"),
        ("@delay -1\nx", "s.md, line 1: write a number"),
        ("@delay inf\nx", "s.md, line 1: write a number"),
        ("@cut short\nx", "s.md, line 1: write why after it"),
        ("@fail 200\nx", "s.md, line 1: write an HTTP status"),
        ("@fail much\nx", "s.md, line 1: write an HTTP status"),
    ],
)
def test_mistakes_are_named_with_their_line(script: str, complaint: str):
    with pytest.raises(ConfigurationError) as raised:
        parse_script(script, source="s.md")
    assert raised.value.detail.startswith(complaint)


def test_a_failing_reply_needs_no_text():
    assert parse_script("@fail 503", source="s.md").replies[0].fail == 503


@given(st.text())
def test_pieces_join_to_the_text(text: str):
    cut = list(pieces(text))
    assert "".join(cut) == text
    assert all(cut)


@given(st.text(alphabet='@-ab \n{}"', max_size=80))
def test_no_text_breaks_the_parser(text: str):
    try:
        script = parse_script(f"{text}\n--- message\nend", source="s.md")
    except ConfigurationError:
        return
    assert script.replies
