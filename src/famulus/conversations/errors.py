"""What can be wrong with a thread."""

from famulus.kernel.errors import Conflict, Invalid, NotFound


class ThreadNotFound(NotFound):
    """There is no thread of yours with this id."""

    code = "thread_not_found"


class ThreadArchived(Conflict):
    """This thread is archived; restore it before you go on in it."""

    code = "thread_archived"


class ThreadKeyReused(Invalid):
    """This key has begun a thread in another place; send a new key with a new conversation."""

    code = "thread_key_reused"


class MessageNotFound(NotFound):
    """There is no message of a thread of yours with this id."""

    code = "message_not_found"


class AttachmentNotFound(NotFound):
    """There is no attachment of yours with this id, or it cannot be used for this."""

    code = "attachment_not_found"


class NotTaken(Invalid):
    """Send a PNG, JPEG, WebP or GIF picture, a PDF, an Office document or UTF-8 text, called what it is."""

    code = "attachment_not_taken"
