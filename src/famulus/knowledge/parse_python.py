"""The symbols of Python, by the `ast` of the running interpreter."""

import ast
import warnings
from collections.abc import Iterable, Iterator

from famulus.knowledge.spans import Span

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def python_spans(text: str) -> list[Span]:
    """Functions, classes and methods; raises ValueError for what is no Python of this interpreter."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd in somebody's file is theirs to hear
            tree = ast.parse(text)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError("not Python") from error
    return list(_spans(tree.body, ""))


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
