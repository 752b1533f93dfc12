"""What of a place is new, changed, the same, moved or gone, against what is known of it. Reads files: ask in a thread.

A file is known to be the same by its stamp: size, both times, and inode, as they stood when its content was last read.
Programs may set the time of modification back, as copying with `-p` does; the time of change of the inode they may not.
A file that was touched in the last seconds before it was looked at gets no stamp, for what comes next may fall into the
same tick of the clock. Whatever has another stamp, or none, is read and known by the hash of its content.
"""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from famulus.knowledge.files import FileRef, Limits, Reader
from famulus.knowledge.parse import format_of
from famulus.knowledge.store import Known
from famulus.knowledge.walk import Listing


@dataclass(slots=True)
class Comparison:
    """What a run has to do."""

    todo: list[FileRef] = field(default_factory=list[FileRef])
    """New, changed, or to be tried again."""
    same: list[Known] = field(default_factory=list[Known])
    stamps: dict[str, str] = field(default_factory=dict[str, str])
    """By document, of files that have another stamp and yet the same content."""
    gone: list[Known] = field(default_factory=list[Known])
    moved: dict[str, str] = field(default_factory=dict[str, str])
    """New paths of files that stood elsewhere, each with the id of the document that it still is."""
    whole: bool = True
    """Whether there was time to look at every file."""


def compare(
    listing: Listing,
    known: Mapping[str, Known],
    limits: Limits,
    *,
    thorough: bool = False,
    until: float = math.inf,
) -> Comparison:
    """Compare until `until` (of `time.monotonic`); `thorough` goes by content alone."""
    found = Comparison()
    with Reader(limits) as reader:
        gone = _gone(known, listing)
        found.moved = _moved(reader, (ref for ref in listing.files if ref.path not in known), gone)
        followed = set(found.moved.values())
        found.gone = [row for row in gone if row.id not in followed]
        for ref in listing.files:
            before = known.get(ref.path)
            if before is None:
                found.todo.append(ref)
            elif ref.stamp and ref.stamp == before.stamp and not thorough:
                found.same.append(before)
            elif time.monotonic() > until:
                found.whole = False
            else:
                _look_inside(reader, ref, before, found)
    return found


def _look_inside(reader: Reader, ref: FileRef, before: Known, found: Comparison) -> None:
    fingerprint = reader.fingerprint(ref)
    if not fingerprint or fingerprint != before.content_hash:
        found.todo.append(ref)
        return
    found.same.append(before)
    if ref.stamp != before.stamp:
        found.stamps[before.id] = ref.stamp


def _gone(known: Mapping[str, Known], listing: Listing) -> list[Known]:
    """Documents whose file is no more. What stands in a place that would not open is not known to be gone."""
    present = {ref.path for ref in listing.files}
    closed = {remark.path for remark in listing.failed}
    folders = tuple(f"{path}/" for path in closed)
    return [
        row
        for path, row in known.items()
        if path not in present and path not in closed and not path.startswith(folders)
    ]


def _moved(reader: Reader, fresh: Iterable[FileRef], gone: Sequence[Known]) -> dict[str, str]:
    lost = {row.content_hash: row for row in gone if row.content_hash}
    sizes = {row.size for row in lost.values()}
    found: dict[str, str] = {}
    for ref in fresh if lost else ():
        if ref.size not in sizes:
            continue
        same = lost.get(fingerprint := reader.fingerprint(ref))
        if same is not None and format_of(same.path) == format_of(ref.path):
            found[ref.path] = lost.pop(fingerprint).id
    return found
