"""What can go wrong with knowledge, beyond the common errors.

BadRequest  ── NothingToRead        no such file or folder
Invalid     ── UnreadableArchive    a zip that is broken or would unpack beyond all bounds
            ── UnreadableUpload     a form without exactly one file
TooLarge    ── UploadTooLarge
Conflict    ── LessonsSource        the lessons of a course are changed in the course
"""

from famulus.kernel.errors import BadRequest, Conflict, Invalid, TooLarge


class NothingToRead(BadRequest):
    """There is no file or folder at that place."""

    code = "nothing_to_read"


class UnreadableArchive(Invalid):
    """The archive cannot be read; pack the files into a plain zip again."""

    code = "unreadable_archive"


class UnreadableUpload(Invalid):
    """Send exactly one file, as multipart/form-data in a field named `file`."""

    code = "unreadable_upload"


class UploadTooLarge(TooLarge):
    """The file is larger than this server accepts."""

    code = "upload_too_large"


class LessonsSource(Conflict):
    """This source follows the lessons of its course; change or delete the lessons instead."""

    code = "lessons_source"
