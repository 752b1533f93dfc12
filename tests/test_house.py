"""The rules of the house, each a test: it lists who offends, and which exception is no longer needed.

The lists of exceptions may only shrink. At the end each rule is shown a planted offender and has to catch it.
"""

import os
import subprocess
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from tests.support import house
from tests.support.house import Offence, Rule, Source
from tests.support.house_imports import Package

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "famulus"

FUNCTION_LINES, FUNCTION_LINES_HARD = 40, 60
FILE_LINES, FILE_LINES_HARD = 400, 600
POSITIONAL_PARAMETERS = 5
MOCKS_PER_TEST = 0.1

LONG_FUNCTIONS: frozenset[str] = frozenset()
"""`path::name` of functions of more than 40 lines."""
LONG_FILES: frozenset[str] = frozenset()
"""Paths of files of more than 400 lines."""
MANY_PARAMETERS: frozenset[str] = frozenset()
"""`path::name` of functions that take more than five values by position."""
WORK_AT_IMPORT = frozenset(
    {
        "cli/main.py::app.add_typer",  # commands are declared, nothing is run
        "doors/sse.py::get_args",  # a value
        "kernel/migrations/env.py::context.configure",  # Alembic's entry is a script by its nature
        "kernel/migrations/env.py::context.run_migrations",
    }
)
"""`path::call` of calls at import that cannot be avoided."""
BROAD_EXCEPTS = frozenset(
    {
        "kernel/jobs.py",  # a job that breaks keeps its reason and is tried again
        "kernel/bus.py",  # one listener's failure is logged and kept from the others
        "doors/sse.py",  # a reader's trouble is handed to its own task, and does not reach the run
        "kernel/lane.py",  # a script's failure is handed to whoever waits for that script
        "kernel/lane_postgres.py",
        "kernel/lane_sqlite.py",
        "runs/carrying.py",  # a tool that breaks is told to the model, which goes on
        "runs/runner.py",  # a run that breaks ends as a failed run
    }
)
"""Paths of the files that may catch everything and go on: the borders where a failure becomes a value."""
COMMITTERS = ("kernel/database", "kernel/engine", "kernel/lane", "kernel/migrations/")
"""Beginnings of the paths of the plumbing that ends transactions."""
HEART = """
    conversations.parts guardrails.contract identity.principal knowledge.parse
    runs.context runs.events runs.loop
""".split()
"""The modules that decide and touch nothing; those that exist stand in the contract that keeps them so."""
VOICE_EXCEPTIONS: frozenset[str] = frozenset()
"""Paths of text files that have to name a place of one machine or a registry."""


@cache
def sources() -> tuple[Source, ...]:
    """The package's files, paths relative to `src/famulus`."""
    return tuple(
        Source(path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if "__pycache__" not in path.parts
    )


@cache
def sources_of_tests() -> tuple[Source, ...]:
    """The tests' files, paths relative to the repository."""
    return tuple(
        Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "tests").rglob("*.py"))
    )


@cache
def package() -> Package:
    """The package, with each file under the name it is imported by."""
    return Package("famulus", {_module_name(source.path): source for source in sources()})


def _module_name(path: str) -> str:
    return ".".join(("famulus", *path.removesuffix(".py").removesuffix("/__init__").split("/")))


def text_files() -> list[Path]:
    """What git would track: every file that is not ignored. Without git, everything outside made folders."""
    command = ("git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        found = [ROOT / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        found = list(_walk())
    return [path for path in found if path.is_file() and b"\0" not in path.read_bytes()[:8000]]


def _walk() -> Iterable[Path]:
    made = {".git", ".venv", ".venv-tools", "node_modules", "__pycache__", "var", "dist", ".ruff_cache"}
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in made and Path(folder, name) != PACKAGE / "web"]
        yield from (Path(folder, name) for name in names)


def all_offences(rule: Rule, *, among: Iterable[Source] | None = None) -> list[Offence]:
    """What a rule finds in the whole package, or among other files."""
    return [offence for source in (sources() if among is None else among) for offence in rule(source)]


def settle(offences: list[Offence], exceptions: Iterable[str] = ()) -> None:
    """Fail with a list of the offences that are no exception, and of the exceptions that offend no more."""
    excepted = set(exceptions)
    complaints = [str(offence) for offence in offences if offence.name not in excepted]
    idle = sorted(excepted - {offence.name for offence in offences})
    complaints += [f"{name}: keeps the rule now; take it off the list of exceptions" for name in idle]
    if complaints:
        pytest.fail("\n".join(["", *complaints]), pytrace=False)


def starting_with(beginnings: tuple[str, ...], offences: list[Offence]) -> set[str]:
    """The names among the offences that begin so: exceptions by folder, which may be idle."""
    return {offence.name for offence in offences if offence.name.startswith(beginnings)}


def test_functions_stay_short() -> None:
    settle(all_offences(lambda source: house.long_functions(source, FUNCTION_LINES)), LONG_FUNCTIONS)


def test_no_function_is_long() -> None:
    settle(all_offences(lambda source: house.long_functions(source, FUNCTION_LINES_HARD)))


def test_files_stay_short() -> None:
    settle(all_offences(lambda source: house.long_files(source, FILE_LINES)), LONG_FILES)


def test_no_file_is_long() -> None:
    settle(all_offences(lambda source: house.long_files(source, FILE_LINES_HARD)))


def test_files_of_the_web_app_are_short() -> None:
    files = [
        path for folder in ("src", "tests") for path in (ROOT / "web" / folder).rglob("*") if path.is_file()
    ]
    read = [path for path in files if path.suffix in (".ts", ".tsx", ".css")]
    assert read
    assert [str(path) for path in read if len(path.read_text("utf-8").splitlines()) > FILE_LINES] == []


def test_few_parameters_by_position() -> None:
    settle(all_offences(lambda source: house.many_parameters(source, POSITIONAL_PARAMETERS)), MANY_PARAMETERS)


def test_nothing_happens_at_import() -> None:
    settle(all_offences(package().loud_calls), WORK_AT_IMPORT)


def test_an_init_is_one_docstring() -> None:
    settle(all_offences(house.code_in_init))


def test_every_module_says_why_it_exists() -> None:
    settle(all_offences(house.missing_docstring))


def test_every_test_module_says_why_it_exists() -> None:
    settle(all_offences(house.missing_docstring, among=sources_of_tests()))


def test_no_drawers() -> None:
    settle(all_offences(house.drawer_names))


def test_imports_stand_at_the_top() -> None:
    settle(all_offences(house.hidden_imports))


def test_only_the_plumbing_commits() -> None:
    found = all_offences(house.commits)
    settle(found, starting_with(COMMITTERS, found))


def test_everything_is_caught_at_the_borders_only() -> None:
    settle(all_offences(house.broad_excepts), BROAD_EXCEPTS)


def test_no_type_is_probed() -> None:
    settle(all_offences(house.attribute_probes))


def test_switched_off_checks_are_named() -> None:
    settle(all_offences(house.bare_ignores, among=(*sources(), *sources_of_tests())))


def test_only_the_campus_knows_who_belongs_where() -> None:
    found = all_offences(house.foreign_belonging)
    settle(found, starting_with(("campus/", "kernel/migrations/"), found))


def test_rights_are_decided_in_one_place() -> None:
    found = all_offences(house.visibility_predicates)
    settle(found, starting_with(("campus/access.py",), found))


def test_the_import_contracts_name_every_table_and_the_whole_heart() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    contracts = tool["importlinter"]["contracts"]
    named = {
        name
        for each in contracts
        for key in ("protected_modules", "source_modules")
        for name in each.get(key, ())
    }
    here = {_module_name(source.path) for source in sources()}
    tables = {_module_name(source.path) for source in sources() if "\n    __tablename__ = " in source.text}
    heart = {f"famulus.{name}" for name in HEART} & here

    assert sorted((tables | heart) - named) == [], (
        "pyproject.toml, tool.importlinter: no contract names these modules"
    )


def test_parts_are_real_rather_than_mocked() -> None:
    uses = {source.path: house.mock_uses(source) for source in sources_of_tests()}
    tests = sum(house.count_tests(source) for source in sources_of_tests())
    listing = "\n".join(f"{path}: {count}" for path, count in uses.items() if count)
    assert sum(uses.values()) <= MOCKS_PER_TEST * tests, (
        f"too many pretended parts for {tests} tests:\n{listing}"
    )


def test_every_test_runs() -> None:
    written = [source for source in sources_of_tests() if not source.path.startswith("tests/support/")]
    settle(all_offences(house.skipped_tests, among=written))


def test_the_text_speaks_of_the_project() -> None:
    found: list[Offence] = []
    for path in text_files():
        name = path.relative_to(ROOT).as_posix()
        found += house.foreign_voice(name, path.read_text(encoding="utf-8", errors="replace"))
    settle(found, VOICE_EXCEPTIONS)


# --- The rules themselves: each catches a planted offender and lets the honest neighbour be ---------


def planted(text: str, path: str = "room/module.py") -> Source:
    """A file as a builder in a hurry might write it."""
    return Source(path, text)


def loud(text: str, **others: str) -> list[str]:
    """The names of the calls at import that are found in `text`, a module of a package of its own."""
    module = planted(text)
    modules = {f"famulus.{name}": planted(other, f"{name}.py") for name, other in others.items()}
    found = Package("famulus", {"famulus.room.module": module, **modules}).loud_calls(module)
    return [offence.name.split("::")[1] for offence in found]


def test_a_long_function_is_caught_in_a_class_and_in_a_function() -> None:
    inner = "        def inner():\n" + "            pass\n" * 10
    source = planted("class Runner:\n    async def start(self):\n" + inner)

    names = [offence.name for offence in house.long_functions(source, 10)]

    assert names == ["room/module.py::Runner.start", "room/module.py::Runner.start.inner"]
    assert house.long_functions(source, 12) == []


def test_a_long_file_is_caught() -> None:
    assert house.long_files(planted("x = 1\n" * 11), 10)
    assert house.long_files(planted("x = 1\n" * 10), 10) == []


def test_many_parameters_are_caught_but_self_and_keywords_do_not_count() -> None:
    assert house.many_parameters(planted("def f(a, b, /, c, d, e, f): ..."), 5)
    assert house.many_parameters(planted("class A:\n    def f(self, a, b, c, d, e, *, f, g): ..."), 5) == []


def test_an_exception_that_is_not_needed_is_an_offence() -> None:
    with pytest.raises(pytest.fail.Exception, match="take it off"):
        settle([], ["room/module.py::short"])


@pytest.mark.parametrize(
    ("rule", "offender", "honest"),
    [
        (house.missing_docstring, "x = 1", '"""Why."""'),
        (house.hidden_imports, "def f():\n    import json", "def f():\n    import json  # lazy: seldom used"),
        (
            house.hidden_imports,
            "def f():\n    # lazy: \n    import json",
            "def f():\n    # lazy: slow\n    import json",
        ),
        (house.hidden_imports, 'X = """\n# lazy: no comment"""\ndef f(): import json', "import json"),
        (house.hidden_imports, "from typing import cast\nif TYPE_CHECKING:\n    import json", "import json"),
        (
            house.commits,
            "async def f(session):\n    await session.commit()",
            "def f(session): session.flush()",
        ),
        (house.commits, "def f(self): self.connection.commit()", "commit = 1"),
        (house.broad_excepts, "try: ...\nexcept: ...", "try: ...\nexcept OSError: ..."),
        (
            house.broad_excepts,
            "try: ...\nexcept (OSError, Exception): ...",
            "try: ...\nexcept Exception: raise",
        ),
        (house.broad_excepts, "with suppress(Exception): ...", "with contextlib.suppress(OSError): ..."),
        (house.attribute_probes, "hasattr(x, 'y')", "getattr(x, name)"),
        (house.bare_ignores, "x = 1  # type: ignore", "x = 1  # type: ignore[assignment]"),
        (house.bare_ignores, "x = 1  # pyright: ignore", "x = 1  # pyright: ignore[reportAny]"),
        (house.bare_ignores, "x = 1  # noqa", "x = 1  # noqa: S608 – built from constants"),
        (house.foreign_belonging, "select(Enrolment.role)", "select(Course.id)"),
        (house.foreign_belonging, "text('SELECT 1 FROM memberships m')", "ForeignKey('memberships.id')"),
        (
            house.visibility_predicates,
            "q.where(Enrolment.user_id == principal.user_id)",
            "q.where(Enrolment.user_id == user_id)",
        ),
        (
            house.visibility_predicates,
            "q.where(models.Membership.user_id.in_([principal.user_id]))",
            "q.where(Run.user_id == principal.user_id)",
        ),
        (house.skipped_tests, "@pytest.mark.skip\ndef test_x(): ...", "@pytest.mark.slow\ndef test_x(): ..."),
        (house.skipped_tests, "def test_x(): pytest.skip('later')", "def test_x(): pytest.fail('now')"),
    ],
)
def test_a_planted_offender_is_caught(rule: Rule, offender: str, honest: str) -> None:
    assert rule(planted(offender))
    assert rule(planted(honest)) == []


def test_code_in_an_init_is_caught_and_other_modules_may_have_some() -> None:
    assert house.code_in_init(planted('"""A room."""\nfrom room import x', "room/__init__.py"))
    assert house.code_in_init(planted("", "room/__init__.py"))
    assert house.code_in_init(planted('"""A room."""\n', "room/__init__.py")) == []
    assert house.code_in_init(planted("x = 1")) == []


def test_a_drawer_is_caught() -> None:
    assert house.drawer_names(planted("", "room/utils.py"))
    assert house.drawer_names(planted("", "room/paging.py")) == []


@pytest.mark.parametrize(
    "work",
    [
        "engine = create_async_engine(URL)",
        "class Options(BaseSettings): ...\noptions = Options()",
        "settings = Settings()",
        "KEY = os.environ.get('KEY')",
        "TEXT = Path(__file__).read_text()",
        "if DEBUG:\n    connect()",
        "class A:\n    client = connect()",
        "def f(client=connect()): ...",
        "VALUES = [connect() for _ in range(2)]",
        "def build():\n    return connect()\nX = build()",
        "class Notes:\n    def __init__(self):\n        self.file = open('x')\nNOTES = Notes()",
        "class CourseService: ...\nservice = CourseService()",
    ],
)
def test_work_at_import_is_caught(work: str) -> None:
    assert loud(work)


@pytest.mark.parametrize(
    "value",
    [
        "PATTERN = re.compile('x')",
        "decode = msgspec.json.Decoder(tuple[int, ...]).decode",
        "router = APIRouter()\n@router.get('/')\ndef f(x=Depends(g)): connect()",
        "connect_later = lambda: connect()",
        "class A(Base, tag=str(1)):\n    id = mapped_column(String(40))",
        "def name(x):\n    return x.upper()\nX = name('x')",
        "@dataclass\nclass Limits:\n    most: int\nLIMITS = Limits(3)",
    ],
)
def test_a_value_made_at_import_is_let_be(value: str) -> None:
    assert loud(value) == []


def test_a_call_at_import_is_followed_into_another_module() -> None:
    text = "from famulus.other import build\nX = build()"

    assert loud(text, other="def build():\n    return connect()") == ["build"]
    assert loud(text, other="def build():\n    return tuple()") == []


def test_pretended_parts_are_counted() -> None:
    pretended = "with patch('x'), mock.patch.object(a, 'b'):\n    MagicMock()\nmonkeypatch.setattr(a, 'b', c)"
    real = "client.patch('/x')\nmonkeypatch.setenv('A', 'b')\n'patch(x)'"

    assert house.mock_uses(planted(pretended)) == 4
    assert house.mock_uses(planted(real)) == 0


def test_a_foreign_voice_is_caught() -> None:
    folder, home, host = "work", "root", "pypi"
    for text in (f"see /{folder}/main", f"'/{home}/.cache'", f"https://{host}.org/simple", f"/opt/{host}/x"):
        assert house.foreign_voice("README.md", text), text
    for text in (
        "/workspace",
        "at home/work",
        "the root folder",
        "</root>",
        "https://example.org/work",
        "pypi",
    ):
        assert house.foreign_voice("README.md", text) == [], text
