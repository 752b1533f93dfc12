"""What can go wrong with knowledge, beyond the common errors.

BadRequest  ── NothingToRead        no such file or folder
Invalid     ── UnreadableArchive    a zip that is broken or would unpack beyond all bounds
            ── UnreadableFile       the one file that was sent cannot be read
            ── UnreadableUpload     a form without exactly one file
Conflict    ── LessonsSource        the lessons of a course are changed in the course
            ── LessonsMoving        two are bringing the same lessons up to date
            ── SourceVanished       deleted while being read
            ── SourceExists         the same place is a source already
            ── SourceFixed          what was sent cannot be read anew from anywhere
            ── TooManyQuestions     a course has as many golden questions as it may have
            ── ModelNeeded          what only a language model can do, and none is connected
            ── TriplesStarting      two start the same run at the same moment
Unavailable ── SourceUnreachable    what a source names could not be fetched
"""

from famulus.kernel.errors import BadRequest, Conflict, Invalid, Unavailable


class NothingToRead(BadRequest):
    """There is no file or folder at that place."""

    code = "nothing_to_read"


class UnreadableArchive(Invalid):
    """The archive cannot be read; pack the files into a plain zip again."""

    code = "unreadable_archive"


class UnreadableFile(Invalid):
    """The file cannot be read."""

    code = "unreadable_file"


class UnreadableUpload(Invalid):
    """Send exactly one file, as multipart/form-data in a field named `file`."""

    code = "unreadable_upload"


class LessonsSource(Conflict):
    """This source follows the lessons of its course; change or delete the lessons instead."""

    code = "lessons_source"


class LessonsMoving(Conflict):
    """The lessons of this course are being taken in by somebody else at the same moment; try again."""

    code = "lessons_moving"


class SourceVanished(Conflict):
    """This source was deleted while its documents were being read."""

    code = "source_vanished"


class SourceExists(Conflict):
    """There is a source of this place already; change that one."""

    code = "source_exists"


class SourceFixed(Conflict):
    """This source is what was sent, and is not read anew; send it again instead."""

    code = "source_fixed"


class TooManyQuestions(Conflict):
    """A course may have 500 golden questions; remove some first."""

    code = "too_many_questions"


class ModelNeeded(Conflict):
    """Only a language model can read that, and none is connected."""

    code = "model_needed"


class TriplesStarting(Conflict):
    """Somebody else starts this at the same moment; look how it stands."""

    code = "triples_starting"


class SourceUnreachable(Unavailable):
    """What this source names could not be fetched."""

    code = "source_unreachable"
