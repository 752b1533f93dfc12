"""What an entry in the table of commands is, and the parts that several of them have in common."""

from collections.abc import Mapping

from msgspec import Struct

from famulus.llm.commands.slots import Arguments


class Form(Struct, frozen=True):
    """One way to ask for something."""

    pattern: str
    given: Arguments = {}
    """Arguments that this form means by itself."""


class Command(Struct, frozen=True):
    """What one tool is asked for by."""

    tool: str
    example: str
    forms: tuple[Form, ...]
    asks: Mapping[str, str] = {}
    """The arguments that it cannot do without, and how they are asked for."""


GROUPS: Mapping[str, str] = {
    "show": "(show [me|us]|list|give me|tell me|display|get [me]|see|view)",
    "create": "((create|make|set up|start) [a|an|the|another|one]|add [a|an|another|one]) [new]",
    "called": "[called|named|titled|:]",
    "list": "(list|tasks|task list|to-do list|todo list|to do list|to-dos|todos)",
    "my-list": "(my <list>|the (task list|to-do list|todo list))",
    "task": "(task|to-do|todo)",
    "tasks": "(tasks|to-dos|todos|to-do list|todo list|task list)",
    "away": "(archive|delete|remove|put away)",
    "back": "(restore|unarchive|bring back)",
    "material": "(material|materials|course material|course materials|course|lessons|documents|documentation)",
    "as-role": "[as [a|an|the] (student|teacher|instructor|admin)]",
    "described": "[with [the|a] description [:] DESCRIPTION]",
    "in-project": "[(in|to|under|within|of|from) [the] [project] PROJECT [project]]",
    "in-track": "[(in|to|under|within|of|from) [the] [track] TRACK [track]]",
    "the-course": "[the] [course] COURSE [course]",
    "the-courses": "[the] [course] COURSES [course]",
    "in-course": "[(in|into|to|on|of|for|from) <the-course>]",
}
"""Parts that several forms have in common; in a form they stand as `<show>`."""
