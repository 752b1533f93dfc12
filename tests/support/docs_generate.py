"""The parts of the reference that are made from the code, so that they cannot say anything else.

A page holds a made part between `<!-- generated: NAME -->` and `<!-- end -->`; `scripts/docs` writes them anew, and
`tests/test_docs.py` fails where one is out of date.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal, get_args, get_origin

import msgspec
import typer
from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

import famulus
from famulus import app
from famulus.campus import access
from famulus.cli.main import app as cli
from famulus.conversations import parts
from famulus.identity.principal import ROLES, Principal, Role
from famulus.kernel.database import Database
from famulus.kernel.errors import FamulusError, every_error
from famulus.kernel.settings import Settings
from famulus.runs import events
from famulus.tools.contract import Tool
from tests.support.docs_commands import command_forms, command_groups, command_slots
from tests.support.docs_markdown import anchor, table
from tests.support.docs_openapi import rest_bodies, rest_routes

ROOT = Path(__file__).resolve().parents[2]
MARKED = re.compile(r"<!-- generated: ([a-z-]+) -->\n.*?<!-- end -->", re.DOTALL)
APART = ("famulus.kernel.migrations",)
"""Modules that only Alembic may import."""


def code(text: object) -> str:
    """Text as it is typed."""
    return f"`{text}`"


def first_paragraph(text: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join(inspect.cleandoc(text or "").split("\n\n")[0].split())


# --- settings ---------------------------------------------------------------------------------------


def environment_names(field: FieldInfo) -> list[str]:
    """The environment variables of a setting, ours first."""
    assert isinstance(field.validation_alias, AliasChoices), "every setting names its variables"
    return [str(choice) for choice in field.validation_alias.choices]


def settings_table() -> str:
    """Every setting: its variables, what it takes, its default, its meaning."""
    rows: list[list[str]] = []
    for field in Settings.model_fields.values():
        ours, *customary = environment_names(field)
        names = code(ours) + "".join(f"<br>{code(name)}" for name in customary)
        rows.append([names, _takes(field), _default(field.default), field.description or ""])
    return table(["variable", "takes", "default", "meaning"], rows)


def _takes(field: FieldInfo) -> str:
    kind, *_ = [each for each in get_args(field.annotation) if each is not types.NoneType] or [None]
    kind = kind if get_origin(field.annotation) in (typing.Union, types.UnionType) else field.annotation
    if get_origin(kind) is Literal:
        return ", ".join(code(value) for value in get_args(kind))
    if get_origin(kind) is tuple:
        return "JSON list of texts" if get_args(kind)[0] is str else "JSON list of objects"
    words = {
        bool: "`true`, `false`",
        int: "whole number",
        float: "number",
        Path: "path",
        SecretStr: "secret text",
    }
    return words.get(kind, "text") + _bounds(field)  # type: ignore[arg-type]


def _bounds(field: FieldInfo) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤"}
    found = [
        f"{sign} {value:,}"
        for each in field.metadata
        for name, sign in signs.items()
        if (value := getattr(each, name, None)) is not None
    ]
    return f", {', '.join(found)}" if found else ""


def _default(value: object) -> str:
    if value is None or value == ():
        return "–"
    return code(str(value).lower() if isinstance(value, bool) else value)


# --- errors -----------------------------------------------------------------------------------------


def import_everything() -> None:
    """Import every module of the package, so that every class of it is known."""
    for module in pkgutil.walk_packages(famulus.__path__, "famulus."):
        if not module.name.startswith(APART):
            importlib.import_module(module.name)


def error_classes() -> list[type[FamulusError]]:
    """Every error of the package by status and code; one class for a code."""
    import_everything()
    ours = [error for error in every_error() if error.__module__.startswith("famulus.")]
    by_code = {error.code: error for error in reversed(ours)}
    return sorted(by_code.values(), key=lambda error: (error.status, error.code))


def errors_table() -> str:
    """Every error code."""
    rows = [
        [str(error.status), code(error.code), "yes" if error.retry else "", first_paragraph(error.__doc__)]
        for error in error_classes()
    ]
    return table(["status", "code", "retry", "meaning"], rows)


# --- events -----------------------------------------------------------------------------------------


def event_classes() -> list[type[msgspec.Struct]]:
    """Every event of a run, in the order of the union."""
    return list(get_args(events.Event))


def tag_of(kind: type[msgspec.Struct]) -> str:
    """The name by which a tagged value goes on the wire."""
    return str(kind.__struct_config__.tag)


def field_words(kind: type) -> dict[str, str]:
    """What stands beneath the fields of a class, by field."""
    body = ast.parse(dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef), "the source of a class is a class"
    words: dict[str, str] = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if isinstance(statement, ast.AnnAssign) and isinstance(following, ast.Expr):
            said = following.value.value if isinstance(following.value, ast.Constant) else ""
            words[ast.unparse(statement.target)] = first_paragraph(str(said))
    return words


def events_list() -> str:
    """Every event with its fields."""
    return "\n\n".join(_struct(code(tag_of(kind)), kind) for kind in event_classes())


def event_values() -> str:
    """The values that events hold, and the parts of a message."""
    plain = (
        events.AssistantCard,
        events.PassageCard,
        events.Usage,
        events.Problem,
        events.ApprovalCard,
        events.ChangeCard,
        parts.Undo,
        parts.ClientTool,
        parts.MessageView,
        parts.FeedbackView,
    )
    made = [_struct(kind.__name__, kind) for kind in plain]
    made += [_struct(f"part {code(tag_of(kind))}", kind) for kind in get_args(parts.Part)]
    return "\n\n".join(made)


def _struct(title: str, kind: type[msgspec.Struct]) -> str:
    words, hints = field_words(kind), typing.get_type_hints(kind)
    rows = [[code(name), _type_words(hints[name]), words.get(name, "")] for name in kind.__struct_fields__]
    return f"### {title}\n\n{first_paragraph(kind.__doc__)}\n\n{table(['field', 'type', 'meaning'], rows)}"


def _type_words(hint: Any) -> str:
    arguments = get_args(hint)
    if hint == parts.Part:
        return "part"
    if get_origin(hint) is Literal:
        return ", ".join(code(value) for value in arguments)
    if get_origin(hint) is tuple:
        return f"list of {_type_words(arguments[0])}"
    if get_origin(hint) in (typing.Union, types.UnionType):
        return " or ".join("null" if each is types.NoneType else _type_words(each) for each in arguments)
    if get_origin(hint) is dict:
        return "object"
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        name = "part `citation`" if hint is parts.Citation else hint.__name__
        return f"[{name}](#{anchor(name)})"
    if get_origin(hint) is dict:
        return "texts by name" if arguments[1] is str else "object"
    return {str: "text", int: "whole number", float: "number", bool: "true or false", object: "any value"}[
        hint
    ]


# --- commands ---------------------------------------------------------------------------------------


def commands() -> list[tuple[str, TyperCommand]]:
    """Every command with its whole name, such as `famulus user create`."""
    root = typer.main.get_command(cli)
    assert isinstance(root, TyperGroup), "there are several commands"
    return list(_below("famulus", root))


def _below(name: str, group: TyperGroup) -> Iterable[tuple[str, TyperCommand]]:
    for word, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _below(f"{name} {word}", command)
        elif isinstance(command, TyperCommand):
            yield f"{name} {word}", command


def cli_pages() -> str:
    """Every command with its arguments and options."""
    return "\n\n".join(_command(name, command) for name, command in commands())


def _command(name: str, command: TyperCommand) -> str:
    arguments = [each for each in command.params if isinstance(each, TyperArgument)]
    options = [each for each in command.params if isinstance(each, TyperOption)]
    usage = " ".join([name, *((each.name or "").upper() for each in arguments)])
    rows = [[code((each.name or "").upper()), each.help or ""] for each in arguments]
    rows += [[code(_typed(each)), _option_words(each)] for each in options]
    found = f"\n\n{table(['', ''], rows)}" if rows else ""
    return (
        f"### {name}\n\n`{usage}{' [OPTIONS]' if options else ''}`\n\n{first_paragraph(command.help)}{found}"
    )


def _typed(option: TyperOption) -> str:
    value = "" if option.is_flag else f" {(option.name or '').rstrip('_').upper()}"
    return ", ".join(option.opts) + value


def _option_words(option: TyperOption) -> str:
    if option.prompt:
        return f"{option.help} Asked for where it is left out."
    return f"{option.help} Needed." if option.required else option.help or ""


# --- crash points -----------------------------------------------------------------------------------


def crash_points() -> list[str]:
    """The names of all crash points in the code, in the order of a run."""
    found: list[str] = []
    for path in sorted((ROOT / "src" / "famulus").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("crash.reach"):
                constants = (each for each in ast.walk(call.args[0]) if isinstance(each, ast.Constant))
                found += [str(each.value) for each in constants]
    return sorted(set(found), key=lambda name: (_place(name), name))


STAGES = ("accept", "context", "tool", "text", "finish")


def _place(name: str) -> int:
    stage = name.split(".")[0]
    return STAGES.index(stage) if stage in STAGES else len(STAGES)


def crash_list() -> str:
    """The crash points as a list."""
    return "\n".join(f"- {code(name)}" for name in crash_points())


# --- pages ------------------------------------------------------------------------------------------


def rights_matrix() -> str:
    """Who may do what: a row for each thing and action, a column for each standing."""
    heads = ["thing", "action", *(code(standing) for standing in access.STANDINGS)]
    rows: list[list[str]] = []
    for thing, action, standings in access.matrix():
        first = not rows or all(row[0] != thing for row in rows)
        marks = ["yes" if standing in standings else "–" for standing in access.STANDINGS]
        rows.append([thing if first else "", action, *marks])
    return table(heads, rows)


def own_tools() -> tuple[Tool, ...]:
    """Every tool of ours, on a database that is never opened."""
    return app.own_tools(Database(f"sqlite+aiosqlite:///{ROOT}/none.db"), Settings())


def tools_table() -> str:
    """Our own tools: what each does, its effect, the right it takes, and who can have that."""
    rows: list[list[str]] = []
    for tool in own_tools():
        asks = ", asks first" if tool.effect == "destroys" or tool.always_asks else ""
        right = " · ".join(tool.needs) if tool.needs else "–"
        who = ", ".join(code(role) for role in ROLES if tool.needs is None or _has(role, tool.needs))
        rows.append([code(tool.name), tool.description, tool.effect + asks, right, who])
    return table(["tool", "what it does", "effect", "right", "who can have it"], rows)


def _has(role: Role, needs: tuple[str, str]) -> bool:
    thing, action = needs
    person = Principal("", "", "", role, "", email_verified=True)
    return access.in_reach(person, action, thing)


MAKERS: dict[str, Callable[[], str]] = {
    "rights-matrix": rights_matrix,
    "settings": settings_table,
    "tools": tools_table,
    "errors": errors_table,
    "events": events_list,
    "event-values": event_values,
    "cli": cli_pages,
    "rest-routes": rest_routes,
    "rest-bodies": rest_bodies,
    "crash-points": crash_list,
    "command-forms": command_forms,
    "command-groups": command_groups,
    "command-slots": command_slots,
}


def pages() -> list[Path]:
    """Every page of the documentation, the README first."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def renewed(text: str) -> str:
    """A page with its made parts as they should be."""

    def made(match: re.Match[str]) -> str:
        name = match.group(1)
        note = "<!-- made by scripts/docs; change the code, not this -->"
        return f"<!-- generated: {name} -->\n{note}\n\n{MAKERS[name]()}\n\n<!-- end -->"

    return MARKED.sub(made, text)


def main() -> None:
    """Write every made part anew; with `--check`, only say which pages are out of date."""
    behind = 0
    for page in pages():
        text = page.read_text("utf-8")
        if (fresh := renewed(text)) != text:
            behind += 1
            print(page.relative_to(ROOT))  # noqa: T201 - a command's words
            if "--check" not in sys.argv:
                page.write_text(fresh, "utf-8")
    if "--check" in sys.argv and behind:
        sys.exit("These pages are out of date; run scripts/docs.")


if __name__ == "__main__":
    main()
