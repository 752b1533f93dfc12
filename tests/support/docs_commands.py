"""The reference of commands in plain English, made from the table that they are understood by."""

import json

from famulus.llm.commands.form import GROUPS, Command
from famulus.llm.commands.forms import COMMANDS, HELP
from famulus.llm.commands.slots import SLOTS, Arguments
from tests.support.docs_markdown import table


def command_forms() -> str:
    """Every command by subject: an example, the tool, what is asked for, and its forms."""
    subjects = {"Help": (HELP,), **COMMANDS}
    return "\n\n".join(
        f"### {subject}\n\n" + "\n\n".join(_command(each) for each in commands)
        for subject, commands in subjects.items()
    )


def _command(command: Command) -> str:
    tool = "" if command is HELP else f" → `{command.tool}`"
    asked = f" Asked for: {', '.join(f'`{name}`' for name in command.asks)}." if command.asks else ""
    forms = "\n".join(f"{form.pattern}{_given(form.given)}" for form in command.forms)
    return f"“{command.example}”{tool}.{asked}\n\n```text\n{forms}\n```"


def _given(given: Arguments) -> str:
    meant = ", ".join(f"{name} = {json.dumps(value)}" for name, value in given.items())
    return f"    → {meant}" if meant else ""


def command_slots() -> str:
    """What may stand in capitals."""
    rows = [[f"`{name}`", kind.words, f"`{kind.argument}`"] for name, kind in SLOTS.items()]
    return table(["slot", "takes", "argument"], rows)


def command_groups() -> str:
    """What stands in angle brackets."""
    return "```text\n" + "\n".join(f"<{name}> = {pattern}" for name, pattern in GROUPS.items()) + "\n```"
