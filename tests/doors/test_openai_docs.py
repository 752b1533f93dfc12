"""The examples in Python on the page about OpenAI's clients, run as they stand."""

from pathlib import Path

import pytest

from tests.support.docs_markdown import blocks
from tests.support.serving import Served

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "use-with-openai-clients.md"


@pytest.mark.slow
def test_the_examples_run(embedded: Served, capsys: pytest.CaptureFixture[str]) -> None:
    examples = [block.text for block in blocks(PAGE.read_text("utf-8")) if block.language == "python"]
    source = "\n".join(examples).replace("http://127.0.0.1:8000", embedded.url)
    source = source.replace("fmk_…", embedded.academy.people["student"].token)
    exec(compile(source, str(PAGE), "exec"), {})  # noqa: S102 – the page's own words
    printed = capsys.readouterr().out
    assert "famulus\n" in printed
    assert printed.count("One two three.") == 3
