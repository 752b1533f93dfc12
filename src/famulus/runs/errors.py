"""What can be wrong with a message or a run."""

from famulus.kernel.errors import BadRequest, Conflict, FamulusError, Invalid, NotFound, TooMany, Unavailable


class RunNotFound(NotFound):
    """There is no run of yours with this id."""

    code = "run_not_found"


class RunInProgress(Conflict):
    """The assistant is still answering in this thread; wait for it, or cancel the run first."""

    code = "run_in_progress"
    retry = True


class KeyReused(Invalid):
    """This Idempotency-Key was used in this thread for another message; send a new key with a new message."""

    code = "idempotency_key_reused"


class FormatNotSupported(BadRequest):
    """The model that answers here cannot be held to a form of its answer; ask for text, or another assistant."""

    code = "format_not_supported"


class TooManyQueued(TooMany):
    """So many messages already wait in this thread; let some be answered first."""

    code = "too_many_queued"


class ServerBusy(Unavailable):
    """As many answers as this server takes are in progress; try again in a few seconds."""

    code = "server_busy"


class LeaseLost(FamulusError):
    """Another instance has taken this run over; this one may not write to it."""

    code = "lease_lost"


class RunTooLong(FamulusError):
    """The answer took longer than allowed; what was written is kept. Ask again, perhaps more narrowly."""

    status, code, title = 504, "run_too_long", "Took too long"


class GaveUp(FamulusError):
    """The server stopped several times while answering this message; ask again."""

    code, title, retry = "run_gave_up", "Given up", True


class ToolLimit(FamulusError):
    """The assistant used more tool steps than one answer may; ask for less at a time."""

    code, title = "tool_limit", "Too many steps"


class ApprovalExpired(FamulusError):
    """Nobody confirmed in time what the assistant wanted to do, so nothing was done. Ask again if you still want it."""

    code, title, retry = "approval_expired", "Not confirmed in time", True


class ApprovalNotFound(NotFound):
    """There is nothing with this id that waits, or has waited, for you."""

    code = "approval_not_found"


class ApprovalSettled(Conflict):
    """This was answered already, has expired, or its run has ended; nothing was changed."""

    code = "approval_settled"


class ApprovalDiffers(Conflict):
    """What you answered for is not what is asked; look at it again and answer with its hash."""

    code = "approval_differs"


class TooCostly(FamulusError):
    """The answer took as many tokens as one answer may; what was written is kept. Ask for less at a time."""

    code, title = "token_limit", "Too many tokens"


class CostLimit(FamulusError):
    """The answer cost as much as one answer of this assistant may; what was written is kept. Ask for less at a time."""

    code, title = "cost_limit", "Too costly"
