"""The symbols of Python, by the `ast` of the running interpreter, and what of other modules they call."""

import ast
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from famulus.knowledge.blocks import Section
from famulus.knowledge.spans import Span

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


MOST_CALLS = 40
"""Of one symbol, to other modules."""
DEEPEST = 8
"""Folders of a module's name."""
_ROOTS = ("src", "lib", "python")
"""Folders that modules are imported from."""


def python_spans(text: str) -> list[Span]:
    """Functions, classes and methods; raises ValueError for what is no Python of this interpreter."""
    return list(_spans(_read(text).body, ""))


def _read(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd in somebody's file is theirs to hear
            return ast.parse(text)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError("not Python") from error


def python_calls(text: str, sections: Sequence[Section], place: str) -> None:
    """Have sections say by which modules their symbols can be imported, and what they call of what the file imports.

    A module goes by its whole path and by what is below a folder that things are imported from; and since nobody says
    where that is, by each shorter path of two names at least.
    """
    tree = _read(text)
    modules = _modules(place)
    imported = _imported(tree, modules[0] if modules else "", is_package=place.endswith("__init__.py"))
    bodies = dict(_bodies(tree.body, ""))
    for section in sections:
        if section.symbol in bodies:
            section.defines += tuple(f"{module}:{section.symbol}" for module in modules)
            called = dict.fromkeys(_called(bodies[section.symbol], imported))
            section.refers += tuple(called)[:MOST_CALLS]


def _modules(place: str) -> list[str]:
    """The names that a file may be imported by, the longest first."""
    parts = [*PurePosixPath(place).with_suffix("").parts]
    if parts and parts[-1] == "__init__":
        parts.pop()
    parts = parts[-DEEPEST:]
    below = max((n + 1 for n, part in enumerate(parts) if part in _ROOTS), default=0)
    starts = [n for n in range(len(parts)) if n in (0, below) or len(parts) - n >= 2]
    return [".".join(parts[n:]) for n in starts]


def _imported(tree: ast.Module, module: str, *, is_package: bool) -> dict[str, str]:
    """What names of a file stand for: a module, or something in one as `module:name`."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                found[each.asname or each.name] = each.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")[: len(module.split(".")) - node.level + is_package]
                base = ".".join(filter(None, (*above, base)))
            for each in node.names:
                found[each.asname or each.name] = f"{base}:{each.name}"
    return found


def _bodies(body: Iterable[ast.stmt], within: str) -> Iterator[tuple[str, ast.stmt]]:
    for node in body:
        if isinstance(node, _DEFINITIONS):
            name = f"{within}.{node.name}" if within else node.name
            yield name, node
            if isinstance(node, ast.ClassDef):
                yield from _bodies(node.body, name)


def _called(body: ast.stmt, imported: dict[str, str]) -> Iterator[str]:
    """What a symbol calls, or derives from, of other modules; what a class's methods call is theirs to say."""
    skipped = {id(inner) for inner in body.body} if isinstance(body, ast.ClassDef) else set[int]()
    waiting: list[ast.AST] = [body]
    while waiting:
        node = waiting.pop()
        waiting += [each for each in ast.iter_child_nodes(node) if id(each) not in skipped]
        named = (
            [node.func]
            if isinstance(node, ast.Call)
            else node.bases
            if isinstance(node, ast.ClassDef)
            else []
        )
        for each in named:
            yield from _meant(
                ast.unparse(each) if isinstance(each, ast.Name | ast.Attribute) else "", imported
            )


def _meant(dotted: str, imported: dict[str, str]) -> Iterator[str]:
    """What a dotted name stands for: `base.Robot` after `from robots import base` is `robots.base:Robot`."""
    parts = dotted.split(".")
    for n in range(len(parts), 0, -1):
        whole = imported.get(".".join(parts[:n]))
        if whole is None:
            continue
        rest, (module, _, name) = parts[n:], whole.partition(":")
        if name:
            yield f"{module}:{'.'.join((name, *rest))}"
        if rest:
            yield f"{'.'.join(filter(None, (module, name)))}:{'.'.join(rest)}"
        return


def _spans(body: Iterable[ast.stmt], within: str) -> Iterator[Span]:
    for node in body:
        if isinstance(node, _DEFINITIONS):
            name = f"{within}.{node.name}" if within else node.name
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            inner = list(_spans(node.body, name)) if isinstance(node, ast.ClassDef) else []
            yield Span(name, first, node.end_lineno or node.lineno, inner)
        elif isinstance(node, ast.If):
            yield from _spans([*node.body, *node.orelse], within)
        elif isinstance(node, ast.Try):
            handled = [each for handler in node.handlers for each in handler.body]
            yield from _spans([*node.body, *handled, *node.orelse, *node.finalbody], within)
