"""What a person is shown before a call is made, and what is kept of it: worked out from the real arguments. Pure.

Everything shown comes from the tool and the arguments, nothing from what the model says about them; the hash stands
for all of it, so that an answer to one thing is no answer to another.
"""

from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from famulus.conversations.views import rfc3339
from famulus.kernel.ids import new_id
from famulus.kernel.text import visible_text
from famulus.runs.calls import as_json, conceal
from famulus.runs.carrying import Plan
from famulus.runs.events import ApprovalCard, ChangeCard
from famulus.runs.sql.approvals import Asked
from famulus.tools.policy import Verdict

_encode = msgspec.json.Encoder(enc_hook=str, order="deterministic").encode


def card_of(plan: Plan, *, lifetime: float, now: datetime) -> ApprovalCard:
    """A call as the person is asked about it; `lifetime` in seconds."""
    preview = plan.preview
    assert preview is not None, "who is asked is shown what would happen"
    card = ApprovalCard(
        id=new_id("apr"),
        call_id=plan.call_id,
        name=plan.tool.name,
        effect=plan.tool.effect,
        title=visible_text(preview.title),
        arguments=plan.shown,
        changes=tuple(
            ChangeCard(visible_text(each.field), _shown(each.before), _shown(each.after))
            for each in preview.changes
        ),
        notes=tuple(visible_text(note) for note in preview.notes),
        hash="",
        expires_at=rfc3339(now + timedelta(seconds=lifetime)),
        wants=plan.tool.wants,
    )
    return replace(card, hash=hash_of(card))


def _shown(value: object) -> object:
    """One side of a change, without secrets, and with nothing in it that does not show."""
    shown = conceal(value)
    return visible_text(shown) if isinstance(shown, str) else shown


def hash_of(card: ApprovalCard) -> str:
    """SHA-256, in hexadecimal, of everything that is shown."""
    return sha256(_encode(replace(card, hash=""))).hexdigest()


def asked_of(card: ApprovalCard, plan: Plan, verdict: Verdict, organization_id: str | None) -> Asked:
    """The same as it is stored."""
    return Asked(
        id=card.id,
        organization_id=organization_id,
        call_id=card.call_id,
        tool=card.name,
        arguments=as_json(plan.arguments),
        card=as_json(card),
        hash=card.hash,
        approver=verdict.approver,
    )
