"""What the person behind a program is asked in the middle of a call: what is missing, what is meant, whether to do it.

Nothing waits here meanwhile. What was asked goes to the program, sealed for the person, and comes back with the answer;
what is then carried out is what was shown, whatever else the program sends. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import msgspec

from famulus.kernel.secrets import Unreadable, Vault
from famulus.kernel.text import visible_json, visible_text
from famulus.runs.calls import as_json, bounded
from famulus.runs.events import ApprovalCard
from famulus.tools.arguments import SECRET_NAME, spec_of
from famulus.tools.contract import Json, Lack, Tool

CONFIRM = "confirm"
FIELDS = 8
"""Most that is asked for at once."""
SHOWN = 300
PLAIN = ("string", "number", "integer", "boolean")
KEPT = ("type", "title", "description", "enum", "minLength", "maxLength", "minimum", "maximum", "format")
FORMATS = ("email", "uri", "date", "date-time")
"""What a program's form can have, by the protocol."""


class Yes(msgspec.Struct, frozen=True):
    """A yes that was asked for."""

    id: str
    entry: str
    """The id of the audit's entry of it: there cannot be two, so it counts once."""
    hash: str
    arguments: dict[str, Any]
    """Exactly what is carried out."""
    expires: float
    """Seconds since 1970."""


class Kept(msgspec.Struct, frozen=True):
    """What the program carries from one round of a call to the next."""

    tool: str
    digest: str
    """Of the arguments that the program came with."""
    filled: dict[str, Any] = {}
    """What the person has said so far."""
    asked: tuple[str, ...] = ()
    """The arguments that they were asked for last."""
    yes: Yes | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is put before the person, as a form."""

    message: str
    properties: Mapping[str, Json]
    required: Sequence[str]
    kept: Kept


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back of one."""

    action: Literal["accept", "decline", "cancel"]
    content: Json = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Talk:
    """Whether the program can ask its person, and what was said so far."""

    asks: bool = False
    kept: Kept | None = None
    answer: Answer | None = None


def seal(vault: Vault, user_id: str, kept: Kept) -> str:
    """What was asked, readable for nobody else, and good for nobody else."""
    return vault.encrypt(msgspec.json.encode(kept).decode(), _context(user_id))


def unseal(vault: Vault, user_id: str, sealed: str) -> Kept | None:
    """The same again; None for what we have not sealed for this person."""
    try:
        return msgspec.json.decode(vault.decrypt(sealed, _context(user_id)), type=Kept)
    except (Unreadable, msgspec.DecodeError, UnicodeError):
        return None


def _context(user_id: str) -> str:
    return f"mcp asks {user_id}"


def lacking(tool: Tool, lack: Lack, arguments: Json, kept: Kept) -> Question | None:
    """A form for what the call lacks; None where no form can ask for it."""
    known: Json = msgspec.json.decode(spec_of(tool).parameters)
    members = cast(dict[str, Any], known.get("properties") or {})
    if lack.choices:
        meant = [name for name, value in arguments.items() if value == lack.meant and name in members]
        labels = [visible_text(label) for _, label in lack.choices]
        ids = [id for id, _ in lack.choices]
        asked: dict[str, Json] = {
            name: {"type": "string", "title": name, "enum": ids, "enumNames": labels} for name in meant[:1]
        }
        message = f"Which one is meant by “{visible_text(lack.meant[:SHOWN])}”?"
    else:
        asked = {name: form for name in lack.fields if (form := _form(name, members.get(name))) is not None}
        if len(asked) < len(lack.fields):
            return None
        message = f"{named_in(tool)} needs to know more."
    if not 0 < len(asked) <= FIELDS:
        return None
    return Question(message, asked, tuple(asked), msgspec.structs.replace(kept, asked=tuple(asked), yes=None))


def named_in(tool: Tool) -> str:
    """A tool as a sentence begins with it."""
    return f"“{tool.name.replace('_', ' ')}”"


def _form(name: str, schema: object) -> Json | None:
    """One field of a form, of what the protocol lets forms have; None for what is none, and for secrets."""
    if not isinstance(schema, Mapping) or SECRET_NAME.search(name):
        return None
    known = cast(Mapping[str, Any], schema)
    if known.get("type") not in PLAIN:
        return None
    form = {key: known[key] for key in KEPT if key in known}
    if form.get("format") not in FORMATS:
        form.pop("format", None)
    return {"title": name, **form}


def confirming(card: ApprovalCard, arguments: Json, kept: Kept, *, entry: str, expires: float) -> Question:
    """Whether to do it: everything that the card shows, and a box that nobody has ticked."""
    yes = Yes(card.id, entry, card.hash, dict(arguments), expires)
    box = {"type": "boolean", "title": "Do it", "description": card.title[:SHOWN]}
    return Question(
        _shown(card), {CONFIRM: box}, (CONFIRM,), msgspec.structs.replace(kept, asked=(), yes=yes)
    )


def _shown(card: ApprovalCard) -> str:
    changes = [f"{each.field}: {_value(each.before)} → {_value(each.after)}" for each in card.changes]
    exact = f"Exactly this is carried out: {card.name} {visible_json(card.arguments)}"
    return bounded("\n".join([card.title, *changes, *card.notes, exact]))


def _value(value: object) -> str:
    return value if isinstance(value, str) else visible_json(as_json(value))
