"""What can be wrong with a thread."""

from famulus.kernel.errors import NotFound


class ThreadNotFound(NotFound):
    """There is no thread of yours with this id."""

    code = "thread_not_found"


class MessageNotFound(NotFound):
    """There is no message of a thread of yours with this id."""

    code = "message_not_found"
