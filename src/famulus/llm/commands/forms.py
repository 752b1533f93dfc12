"""The commands that are understood without a language model: for each tool the forms in which it is asked for.

A table and nothing else. `grammar` says how forms are written, `slots` what may stand in capitals.
"""

from collections.abc import Mapping

from famulus.llm.commands.form import Command, Form
from famulus.llm.commands.forms_archive import ARCHIVE
from famulus.llm.commands.forms_personal import MYSELF, TASKS
from famulus.llm.commands.forms_places import LEARNING, PEOPLE, PLACES

COMMANDS: Mapping[str, tuple[Command, ...]] = {
    "Your tasks": TASKS,
    "Yourself": MYSELF,
    "Organizations, projects and tracks": PLACES,
    "Courses and lessons": LEARNING,
    "People and assistants": PEOPLE,
    "The archive": ARCHIVE,
}
"""By subject, in the order of the help."""
HELP = Command(
    "help",
    "What can you do?",
    (
        Form("[<show>] [the|your|all] (help|commands)"),
        Form("what can (you do|i say|i ask|you help with|you help me with) [here|for me]"),
        Form("(which|what) commands (are there|do you know|do you understand)"),
        Form("how can you help [me]"),
    ),
)
"""How a person asks what there is to ask for; no tool does it."""
CANCELLED = frozenset(
    "no|no thanks|cancel|stop|nothing|never mind|nevermind|forget it|forget that|leave it|none|none of them".split(
        "|"
    )
)
"""How a person answers a question that they would rather not have been asked."""
