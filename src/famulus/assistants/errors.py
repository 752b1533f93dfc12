"""What can be wrong with an assistant."""

from famulus.kernel.errors import Conflict, NotFound


class AssistantNotFound(NotFound):
    """There is no assistant with this id that you may see."""

    code = "assistant_not_found"


class AssistantInactive(Conflict):
    """This assistant is switched off; choose another, or start a new thread."""

    code = "assistant_inactive"


class AssistantExists(Conflict):
    """There is an assistant for this already."""

    code = "assistant_exists"
