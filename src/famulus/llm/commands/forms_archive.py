"""The forms of putting things away and taking them out again. What there is to delete is put away."""

from famulus.llm.commands.form import Command, Form

_KINDS = (
    ("organization", "ORGANIZATION", "", "", {"organization": "Which organization?"}),
    ("project", "PROJECT", "", "", {"project": "Which project?"}),
    ("track", "TRACK", "", " <in-project>", {"track": "Which track?"}),
    ("course", "COURSE", "", "", {"course": "Which course?"}),
    (
        "lesson",
        "LESSON",
        " of Trees",
        " <in-course>",
        {"lesson": "Which lesson?", "course": "In which course?"},
    ),
)
"""What can be put away, its slot, how its example ends, how its place is named, what is asked for."""

ARCHIVE = tuple(
    Command(
        f"{tool}_{kind}",
        f"{example} the {kind} “Sketches”{of}",
        (
            Form(f"{verb} [the|my] {kind} [called|named] [{slot}]{within}"),
            Form(f"{verb} [the|my] {slot} {kind}{within}"),
        ),
        asks,
    )
    for kind, slot, of, within, asks in _KINDS
    for tool, example, verb in (("archive", "Archive", "<away>"), ("restore", "Restore", "<back>"))
)
