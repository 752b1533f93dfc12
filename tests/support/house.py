"""The rules of the house as functions: each takes source and returns what offends, for test_house to list.

A rule looks at the syntax tree of one file; only the rules about text (voice, mocks) look at letters.
A rule knows nothing of exceptions: the test that applies it holds them by name.
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Offence:
    """Something to mend: `name` is what an exception would list, `what` says it in words."""

    name: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.name} (line {self.line}): {self.what}"


@dataclass(frozen=True)
class Source:
    """One Python file; `path` is written relative to the package or folder it is checked in."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def comments(self) -> dict[int, str]:
        """The comments by line: a rule that reads them is not fooled by a string that looks like one."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}

    @cached_property
    def functions(self) -> list[tuple[str, Function]]:
        """Every function with its name inside the file, such as `Runner.start` or `serve.stop`."""
        return list(_functions(self.tree, ""))

    def offence(self, node: ast.AST, what: str) -> Offence:
        return Offence(self.path, getattr(node, "lineno", 1), what)


Rule = Callable[[Source], list[Offence]]


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef):
            name = f"{prefix}{child.name}"
            if isinstance(child, Function):
                yield name, child
            yield from _functions(child, f"{name}.")
        else:
            yield from _functions(child, prefix)


def dotted(node: ast.AST) -> str:
    """`a.b.c` for that expression; what is not a name becomes `?`, as in `?.join`."""
    match node:
        case ast.Name(name):
            return name
        case ast.Attribute(value, attribute):
            return f"{dotted(value)}.{attribute}"
        case ast.Subscript(value):  # Decoder[int](…) is a call of Decoder
            return dotted(value)
        case _:
            return "?"


# --- size -----------------------------------------------------------------------------------------


def long_functions(source: Source, limit: int) -> list[Offence]:
    """Functions of more than `limit` lines from `def` to their last, docstring included."""
    return [
        Offence(f"{source.path}::{name}", node.lineno, f"{length} lines, at most {limit}")
        for name, node in source.functions
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > limit
    ]


def long_files(source: Source, limit: int) -> list[Offence]:
    """The file itself, when it has more than `limit` lines."""
    count = len(source.lines)
    return [Offence(source.path, 1, f"{count} lines, at most {limit}")] if count > limit else []


def many_parameters(source: Source, limit: int) -> list[Offence]:
    """Functions with more than `limit` parameters that can be given by position, `self` and `cls` aside."""
    found: list[Offence] = []
    for name, node in source.functions:
        given = [argument.arg for argument in node.args.posonlyargs + node.args.args]
        count = len(given) - (given[:1] in (["self"], ["cls"]))
        if count > limit:
            what = f"{count} parameters by position, at most {limit}: make the rest keyword-only"
            found.append(Offence(f"{source.path}::{name}", node.lineno, what))
    return found


# --- shape ----------------------------------------------------------------------------------------


def code_in_init(source: Source) -> list[Offence]:
    """An `__init__.py` that is anything but one docstring."""
    if not source.path.endswith("__init__.py"):
        return []
    match source.tree.body:
        case [ast.Expr(ast.Constant(str()))]:
            return []
        case _:
            return [Offence(source.path, 1, "is one docstring and no code")]


def missing_docstring(source: Source) -> list[Offence]:
    """A module that does not open by saying why it exists."""
    return [] if ast.get_docstring(source.tree) else [Offence(source.path, 1, "opens with why it exists")]


def drawer_names(source: Source) -> list[Offence]:
    """A module named after nothing."""
    drawers = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py", "shared.py", "base.py"}
    name = Path(source.path).name
    return [Offence(source.path, 1, f"{name} names no subject")] if name in drawers else []


def hidden_imports(source: Source) -> list[Offence]:
    """Imports in functions without `# lazy: reason` on their line or the one above, and `TYPE_CHECKING`."""
    found = [
        source.offence(node, "TYPE_CHECKING: a value is missing lower down")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Name) and node.id == "TYPE_CHECKING"
    ]
    for _, function in source.functions:
        found += [
            source.offence(node, "imported inside a function without `# lazy: reason`")
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom) and not _is_lazy(source, node.lineno)
        ]
    return found


def _is_lazy(source: Source, line: int) -> bool:
    near = (source.comments.get(line, ""), source.comments.get(line - 1, ""))
    return any(re.search(r"#\s*lazy: \S{3,}", comment) for comment in near)


# --- conduct --------------------------------------------------------------------------------------


def commits(source: Source) -> list[Offence]:
    """Calls of anything's `commit()`."""
    return [
        source.offence(node, f"{dotted(node.func)}() commits")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]


def broad_excepts(source: Source) -> list[Offence]:
    """Handlers that catch everything and go on. One that ends by raising again hides nothing."""
    found: list[Offence] = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _raises_again(node):
            found.append(source.offence(node, "catches everything and goes on"))
        elif isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] == "suppress":
            found += [source.offence(node, "suppresses everything") for each in node.args if _is_broad(each)]
    return found


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_is_broad(item) for item in caught.elts)
    return caught is None or dotted(caught) in ("Exception", "BaseException")


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise)


def attribute_probes(source: Source) -> list[Offence]:
    """`hasattr`: a type of our own is known, and somebody else's is matched."""
    return [
        source.offence(node, "hasattr probes a type instead of knowing it")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and dotted(node.func) == "hasattr"
    ]


def bare_ignores(source: Source) -> list[Offence]:
    """Comments that switch a checker off without saying which of its rules."""
    bare = re.compile(r"#\s*(?:type:\s*ignore(?!\[)|pyright:\s*ignore(?!\[)|noqa(?!:\s*[A-Z]))")
    return [
        Offence(source.path, line, f"names no rule: {comment}")
        for line, comment in source.comments.items()
        if bare.search(comment)
    ]


# --- rights ---------------------------------------------------------------------------------------

BELONGING = ("Enrolment", "Membership")
"""The tables that say who belongs where: what a person may see is decided from them."""
BELONGING_SQL = re.compile(r"\b(?:from|join|update|into)\s+\"?(?:enrolments|memberships)\b", re.IGNORECASE)


def foreign_belonging(source: Source) -> list[Offence]:
    """Uses of the belonging tables, as models or in SQL text, in a file outside the campus."""
    found: list[Offence] = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name | ast.Attribute) and dotted(node).split(".")[-1] in BELONGING:
            found.append(source.offence(node, f"reads {dotted(node)}; ask campus for a Select"))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and BELONGING_SQL.search(node.value)
        ):
            found.append(source.offence(node, "reads who belongs where in SQL; ask campus for a Select"))
    return found


def visibility_predicates(source: Source) -> list[Offence]:
    """Comparisons of a belonging's person with the principal: a right decided on the spot."""
    found: list[Offence] = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "in_":
            sides = [node.func.value, *node.args]
        else:
            continue
        names = [dotted(part) for side in sides for part in ast.walk(side)]
        belongs = any(name.endswith(f"{table}.user_id") for name in names for table in BELONGING)
        if belongs and any(name.split(".")[0] in ("principal", "asker") for name in names):
            found.append(source.offence(node, "decides what the asker sees; that is campus/access.py's"))
    return found


# --- text -----------------------------------------------------------------------------------------

MOCKS = ("mock.patch", "mocker.patch", "patch.object", "patch.dict", "patch.multiple", "monkeypatch.setattr")


def mock_uses(source: Source) -> int:
    """How often a test file replaces a part by a pretended one. `client.patch` is a verb of HTTP and none."""
    names = [dotted(node.func) for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    return sum(name == "patch" or name.endswith((*MOCKS, "MagicMock", "AsyncMock")) for name in names)


def count_tests(source: Source) -> int:
    """How many test functions a file has."""
    return sum(name.split(".")[-1].startswith("test_") for name, _ in source.functions)


def skipped_tests(source: Source) -> list[Offence]:
    """Tests marked or told not to run."""
    endings = ("mark.skip", "mark.skipif", "mark.xfail", "pytest.skip", "pytest.xfail", "pytest.importorskip")
    return [
        source.offence(node, f"{dotted(node)}: a test runs, or is not there")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and dotted(node).endswith(endings)
    ]


# Spelt in pieces, so that this file does not offend against itself.
_FOLDERS = "|".join(("wo" + "rk", "ro" + "ot", "opt/" + "pypi"))
_HOSTS = "|".join(
    (
        "pypi" + r"\.org",
        "files" + r"\.pythonhosted\.org",
        "registry" + r"\.npmjs\.org",
        "deb" + r"\.debian\.org",
    )
)
VOICE = re.compile(rf"(?<![\w.~}}/<-])/(?:{_FOLDERS})(?![\w-])|\b(?:{_HOSTS})\b|\.\./" + "shar" + "ed/")


def foreign_voice(path: str, text: str) -> list[Offence]:
    """Places of one machine or hosts of a registry: the project's text speaks of the project."""
    return [
        Offence(path, number, f"names {found.group()}")
        for number, line in enumerate(text.splitlines(), 1)
        if (found := VOICE.search(line))
    ]
