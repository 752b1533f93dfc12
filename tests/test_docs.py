"""The documentation, checked: made parts are up to date, nothing is undocumented, links lead somewhere, examples run.

A block after `<!-- runs: A · B -->` is run by bash against a real server; A and B have to be in what it prints. The
blocks of a page run one after another in one shell.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from famulus.assistants.template import check_instructions
from famulus.identity.principal import Principal
from famulus.kernel.settings import Settings
from famulus.llm.script_file import parse_script
from famulus.runs.context import Situation, Voice, instructions, variables
from tests.support import docs_generate as made
from tests.support.docs_markdown import Block, anchor, blocks, headings, links
from tests.support.docs_openapi import document, operations, operations_elsewhere

ROOT = made.ROOT
PAGES = made.pages()
ADDRESS = "http://127.0.0.1:8000"
"""The server's address on every page."""
COMMAND = ".venv/bin/famulus"
"""The command line on every page."""
PYTHON = ".venv/bin/python"
MAIN = "from famulus.cli.main import main; main()"
MARK = "=== block "
WORDS = """
    principal organization role project track course lesson quiz enrolment task archived assistant thread message part run event
    approval tool source document chunk passage citation door epoch journal lane script lease pulse sweep job instance
    room connection
""".split()
"""What the glossary has to explain."""


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@cache
def all_text() -> str:
    """Everything that is said, made parts included."""
    return "\n".join(read(page) for page in PAGES)


@cache
def reference(page: str) -> str:
    return read(ROOT / "docs" / "reference" / f"{page}.md")


# --- Made parts, and completeness ------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_made_parts_are_up_to_date(page: Path) -> None:
    assert made.renewed(read(page)) == read(page), "run scripts/docs"


def test_every_made_part_stands_on_a_page() -> None:
    assert sorted(set(made.MARKED.findall(all_text()))) == sorted(made.MAKERS)


def test_every_setting_is_documented() -> None:
    fields = Settings.model_fields.values()
    wanted = [name for field in fields for name in made.environment_names(field)]
    assert [name for name in wanted if f"`{name}`" not in reference("settings")] == []
    assert [field for field in fields if not field.description] == []


def test_every_variable_of_ours_is_documented() -> None:
    """Those that are read beside the settings, too."""
    folders = (ROOT / "src" / "famulus", ROOT / "scripts")
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in ("", ".py", ".sh")]
    code = "\n".join(path.read_text("utf-8") for path in files if path.is_file() and "web" not in path.parts)
    wanted = set(re.findall(r"\bFAMULUS_[A-Z_]+[A-Z]\b", code))
    assert sorted(each for each in wanted if f"`{each}`" not in reference("settings")) == []


def test_every_error_is_documented() -> None:
    wanted = [error.code for error in made.error_classes()]
    assert [code for code in wanted if f"`{code}`" not in reference("errors")] == []
    assert [e.__name__ for e in made.error_classes() if not made.first_paragraph(e.__doc__)] == []


def test_every_event_is_documented() -> None:
    wanted = [made.tag_of(kind) for kind in made.event_classes()]
    assert [tag for tag in wanted if f"### `{tag}`" not in reference("events")] == []


def test_every_tool_is_documented() -> None:
    wanted = [tool.name for tool in made.own_tools()]
    assert [name for name in wanted if f"| `{name}` |" not in reference("tools")] == []


def test_every_command_and_option_is_documented() -> None:
    wanted = [f"### {name}\n" for name, _ in made.commands()]
    wanted += [f"`{word}" for _, command in made.commands() for each in command.params for word in each.opts]
    page = reference("cli")
    assert [word for word in wanted if word not in page and word.upper() not in page] == []


def test_every_route_is_documented() -> None:
    wanted = [f"`{method} {path}`" for method, path, _ in operations()]
    assert [route for route in wanted if route not in reference("rest")] == []
    assert [path for _, path, operation in operations() if not operation.get("description")] == []
    elsewhere = [f"`{method} {path}`" for method, path in operations_elsewhere()]
    assert elsewhere
    assert [route for route in elsewhere if route not in all_text()] == []


def test_every_route_that_pages_name_exists() -> None:
    routes = [(method, path) for method, path, _ in operations()] + list(operations_elsewhere())
    known = {(method, re.sub(r"{\w+}", "{}", path)) for method, path in routes}
    said = re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[\w/{}.-]+)", all_text())
    assert [f"{m} {p}" for m, p in said if (m, re.sub(r"{\w+}", "{}", p)) not in known] == []


def test_every_crash_point_is_documented() -> None:
    assert [point for point in made.crash_points() if f"`{point}`" not in reference("crash")] == []


def test_the_variables_of_instructions_are_documented() -> None:
    page = read(ROOT / "docs" / "concepts" / "assistants.md")
    voice, person = Voice("Mira", ""), Principal("usr_1", "Ada", "ada@example.org")
    given = variables(Situation(voice, person, None, None, (), searched=False, today=date(2026, 11, 20)))
    assert [each for each in given if not re.search(rf"^\| `{each}[.`]", page, re.MULTILINE)] == []


def test_the_example_of_instructions_is_rendered() -> None:
    page = read(ROOT / "docs" / "concepts" / "assistants.md")
    [example] = [block.text for block in blocks(page) if block.language == "jinja"]
    check_instructions(example)
    person = Principal("usr_1", "Ada", "ada@example.org", profile={"software_background": "Python"})
    today = date(2026, 11, 20)
    said = instructions(
        Situation(Voice("Mira", example), person, "Robots", None, (), searched=False, today=today)
    )
    assert said.startswith("You are Mira")
    assert "Robots" in said
    assert "knows Python" in said
    plain = Principal("usr_2", "Bo", "bo@example.org")
    assert "knows" not in instructions(
        Situation(Voice("Mira", example), plain, None, None, (), searched=False, today=today)
    )


def test_the_glossary_explains_every_word() -> None:
    assert set(WORDS) - set(headings(read(ROOT / "docs" / "glossary.md"))) == set()


# --- Links and code --------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    broken: list[str] = []
    for link in links(read(page)):
        target, _, fragment = link.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        path = (page.parent / target).resolve() if target else page
        known = (
            {anchor(heading) for heading in headings(read(path))}
            if path.suffix == ".md" and path.exists()
            else set()
        )
        if not path.exists() or (fragment and fragment not in known):
            broken.append(link)
    assert broken == []


def test_every_page_is_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    reached = {(index.parent / link.partition("#")[0]).resolve() for link in links(read(index))}
    assert [name(page) for page in PAGES if page not in reached | {index, ROOT / "README.md"}] == []


def test_the_readme_is_short() -> None:
    assert len(read(ROOT / "README.md").splitlines()) < 120


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_python_compiles(page: Path) -> None:
    for block in blocks(read(page)):
        if block.language in ("python", "py"):
            compile(block.text, f"{name(page)}:{block.line}", "exec")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_bash_can_be_read(page: Path) -> None:
    for block in blocks(read(page)):
        if block.language == "bash":
            read_only = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
            assert read_only.returncode == 0, f"{name(page)}:{block.line}: {read_only.stderr}"


def test_the_example_of_a_script_is_one() -> None:
    page = read(ROOT / "docs" / "how-to" / "script-a-model.md")
    [example] = [block.text for block in blocks(page) if block.language == "markdown"]
    script = parse_script(example, source="example")
    said = re.findall(r"^\| `(@\w+)", page, re.MULTILINE)
    assert len(script.replies) == 4
    assert said == ["@when", "@tool", "@think", "@cut", "@rate", "@delay", "@fail"]


def test_the_openapi_document_can_be_made_without_a_server() -> None:
    assert document()["info"]["title"] == "Famulus"


# --- Examples against a real server ----------------------------------------------------------------


def run_blocks(page: Path) -> list[Block]:
    """The blocks of a page that are run."""
    return [block for block in blocks(read(page)) if block.prints is not None]


WITH_EXAMPLES = [page for page in PAGES if run_blocks(page)]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the server and the examples see: nothing of this machine's settings."""
    ours = (*(n for field in Settings.model_fields.values() for n in made.environment_names(field)),)
    plain = {key: value for key, value in os.environ.items() if key.upper() not in ours}
    home = tmp_path_factory.mktemp("home")
    (home / ".curlrc").write_text("fail-with-body\nmax-time = 20\nnoproxy = *\n", encoding="utf-8")
    return plain | {
        "PYTHONPATH": str(ROOT / "src"),
        "FAMULUS_DATA_DIR": str(tmp_path_factory.mktemp("var")),
        "FAMULUS_EMBEDDING": "none",
        "CURL_HOME": str(home),
    }


@pytest.fixture(scope="module")
def server(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with the demo, started as the README says but on a free port."""
    log = tmp_path_factory.mktemp("log") / "server.log"
    command = [sys.executable, "-c", MAIN, "serve", "--migrate", "--seed", "--port", "0"]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, cwd=ROOT)
    try:
        yield _address(process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up and process.poll() is None:
        if found := re.search(r"Famulus is ready at (http://\S+)", log.read_text("utf-8")):
            return found[1]
        time.sleep(0.05)
    pytest.fail(f"the server did not start:\n{log.read_text('utf-8')[-3000:]}", pytrace=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=name)
def test_examples_run(page: Path, server: str, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    examples = run_blocks(page)
    parts = [f"printf '\\n{MARK}{number}\\n'\n{block.text}" for number, block in enumerate(examples)]
    script = "\n".join(parts).replace(ADDRESS, server).replace(PYTHON, f"'{sys.executable}'")
    script = script.replace(COMMAND, f"'{sys.executable}' -c '{MAIN}'")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    printed = re.split(rf"^{MARK}\d+\n", done.stdout, flags=re.MULTILINE)[1:]
    for block, output in zip(examples, printed, strict=False):
        missing = [each for each in block.prints or () if each not in output]
        assert missing == [], f"{name(page)}:{block.line} printed:\n{output[-2000:]}\n{done.stderr[-2000:]}"
    assert done.returncode == 0, f"{name(page)}, block {len(printed)}:\n{done.stdout[-1500:]}\n{done.stderr}"
