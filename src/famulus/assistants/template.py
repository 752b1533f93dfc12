"""The language of instructions: jinja2 without anything that could take long, take much, or take in other templates.

jinja2 is imported here alone, and this by who needs it at the moment: a server at rest has not met it.

Whoever teaches a course may write instructions, and they are rendered inside the server for every message. So what is
not on the list below is refused when it is written: there is no arithmetic, no call but `.items()`, no filter that
grows text, and no loop inside a loop.
"""

import functools
from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from famulus.kernel.errors import FieldProblem, Invalid

ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.NSRef, nodes.Getattr, nodes.Getitem,
    nodes.Const, nodes.Tuple, nodes.List, nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or,
    nodes.Not, nodes.Test, nodes.Filter, nodes.For, nodes.Call, nodes.Concat,
)  # fmt: skip
FILTERS = frozenset(
    {"capitalize", "default", "d", "first", "join", "last", "length", "lower", "title", "trim", "upper"}
)
CALLS = frozenset({"items"})


def check_instructions(instructions: str) -> None:
    """Raise Invalid, naming the line, unless these are instructions that can be rendered."""
    try:
        template = ImmutableSandboxedEnvironment(optimized=False).parse(instructions)
        _check(template, looping=False)
    except TemplateSyntaxError as error:
        raise _broken(error.lineno, str(error.message)) from error
    except RecursionError as error:
        raise _broken(1, "this is nested too deeply.") from error


def _check(node: nodes.Node, *, looping: bool) -> None:
    if not isinstance(node, ALLOWED):
        raise _broken(node.lineno, f"{type(node).__name__} is not part of the language of instructions.")
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise _broken(
            node.lineno, f"there is no filter {node.name!r} here; there are {', '.join(sorted(FILTERS))}."
        )
    if isinstance(node, nodes.Call) and not _is_harmless(node):
        raise _broken(node.lineno, "nothing can be called here but `.items()`.")
    if isinstance(node, nodes.For) and (looping or node.recursive):
        raise _broken(node.lineno, "a loop cannot stand inside a loop.")
    for child in node.iter_child_nodes():
        _check(child, looping=looping or isinstance(node, nodes.For))


def _is_harmless(call: nodes.Call) -> bool:
    target: Any = call.node
    return isinstance(target, nodes.Getattr) and target.attr in CALLS and not call.args and not call.kwargs


def _broken(line: int, sentence: str) -> Invalid:
    problem = FieldProblem("instructions", f"Line {line}: {sentence}")
    return Invalid("The instructions are not a valid template.", fields=(problem,))


@functools.cache
def _environment() -> ImmutableSandboxedEnvironment:
    # Not optimized, for the optimizer works constants such as 9**9**9 out while it reads the template.
    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, optimized=False
    )


@functools.lru_cache(maxsize=256)
def _template(source: str) -> Template:
    return _environment().from_string(source)


@functools.lru_cache(maxsize=256)
def _plain(source: str) -> str:
    """What a template comes to that names nothing, and so is the same for everybody."""
    return _template(source).render()


def render(source: str, values: Mapping[str, object]) -> str:
    """What a template comes to with these values; raises ValueError with the reason where it comes to nothing."""
    try:
        return _template(source).render(values) if "{" in source else _plain(source)
    except (TemplateError, ArithmeticError, LookupError, TypeError) as error:
        raise ValueError(str(error)) from error
