"""The symbols of languages other than Python, by their tree-sitter grammars.

Grammars are machine code fed with strangers' files, so they run in a worker process only (see pool.py).
"""

import importlib
import re
from collections.abc import Callable, Iterator
from typing import Protocol, cast

from famulus.knowledge.grammars import GRAMMARS, Grammar
from famulus.knowledge.spans import Span

DEEPEST = 30
"""Symbols inside symbols; what is deeper belongs to what is around it."""
_VALUES = frozenset(("arrow_function", "function_expression", "generator_function", "class"))
"""What makes a constant of JavaScript a symbol."""
_NAMES = frozenset(
    """identifier field_identifier type_identifier qualified_identifier destructor_name operator_name operator_cast
    template_function""".split()
)
_ARGUMENTS = re.compile(r"<.*", re.DOTALL)


class Node(Protocol):
    """A node of a syntax tree, as far as it is needed here."""

    type: str
    text: bytes | None
    named_children: list["Node"]
    start_point: tuple[int, int]
    end_point: tuple[int, int]

    def child_by_field_name(self, name: str, /) -> "Node | None": ...


def tree_spans(text: str, language: str) -> list[Span]:
    """The symbols of a file, as far as its grammar makes sense of it."""
    import tree_sitter  # lazy: machine code for worker processes alone

    grammar = GRAMMARS[language]
    # lazy: the one grammar that is needed; they have no types to speak of
    language_of: Callable[[], object] = getattr(importlib.import_module(grammar.module), grammar.function)
    parser = tree_sitter.Parser(tree_sitter.Language(language_of()))
    root = cast(Node, parser.parse(text.encode("utf-8", errors="replace")).root_node)
    return list(_spans(root, grammar, "", 0))


def _spans(node: Node, grammar: Grammar, within: str, depth: int) -> Iterator[Span]:
    if depth > DEEPEST:
        return
    for child in node.named_children:
        name = _name(child, grammar) if child.type in grammar.plain or child.type in grammar.outer else ""
        if name:
            symbol = f"{within}{grammar.joint}{name}" if within else name
            inner = list(_inside(child, grammar, symbol, depth + 1)) if child.type in grammar.outer else []
            # A node that ends at the very beginning of a line does not take that line.
            last = child.end_point[0] + (child.end_point[1] > 0)
            yield Span(symbol, child.start_point[0] + 1, max(last, child.start_point[0] + 1), inner)
        elif child.type in grammar.around:
            yield from _spans(child, grammar, within, depth + 1)


def _inside(node: Node, grammar: Grammar, symbol: str, depth: int) -> Iterator[Span]:
    body = node.child_by_field_name("body")
    if body is not None:
        yield from _spans(body, grammar, symbol, depth)


def _name(node: Node, grammar: Grammar) -> str:
    """What a symbol is called; empty for what is none after all."""
    match node.type:
        case "lexical_declaration" | "variable_declaration":
            return _of_value(node)
        case "field_definition" | "public_field_definition":
            value = node.child_by_field_name("value")
            named = node.child_by_field_name("property") or node.child_by_field_name("name")
            return _text(named) if value is not None and value.type in _VALUES else ""
        case "impl_item":
            return _ARGUMENTS.sub("", _text(node.child_by_field_name("type")))
        case "type_declaration":
            return _text(next((each.child_by_field_name("name") for each in node.named_children), None))
        case "method_declaration" if grammar.module == "tree_sitter_go":
            receiver = _first(node.child_by_field_name("receiver"), "type_identifier")
            return ".".join(filter(None, (receiver, _text(node.child_by_field_name("name")))))
        case "function_definition" | "type_definition":
            return _declared(node)
        case "struct_specifier" | "union_specifier" | "class_specifier" | "enum_specifier":
            bodied = node.child_by_field_name("body") is not None
            return _text(node.child_by_field_name("name")) if bodied else ""
        case _:
            return _text(node.child_by_field_name("name"))


def _of_value(node: Node) -> str:
    """Of a constant that is a function or a class."""
    declared = [each for each in node.named_children if each.type == "variable_declarator"]
    if len(declared) != 1:
        return ""
    value = declared[0].child_by_field_name("value")
    return (
        _text(declared[0].child_by_field_name("name")) if value is not None and value.type in _VALUES else ""
    )


def _declared(node: Node) -> str:
    """Of what C declares, where the name stands inside of all that it is."""
    inner = node.child_by_field_name("declarator")
    for _ in range(DEEPEST):
        if inner is None or inner.type in _NAMES:
            break
        inner = inner.child_by_field_name("declarator") or next(
            (
                each
                for each in inner.named_children
                if each.type.endswith("declarator") or each.type in _NAMES
            ),
            None,
        )
    return _ARGUMENTS.sub("", _text(inner))


def _first(node: Node | None, kind: str) -> str:
    """The text of the first node of a kind, itself or below."""
    waiting = [node] if node is not None else []
    while waiting:
        each = waiting.pop(0)
        if each.type == kind:
            return _text(each)
        waiting += each.named_children
    return ""


def _text(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", errors="replace").strip()[:200] if node is not None else ""
