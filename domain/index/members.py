"""What may lie in an archive: names that stay inside it, once each, and no more than it may unpack to.

Archives come from strangers and are read by installers that are less careful than we can be. Everything is
measured while it is unpacked; what an archive says of its own sizes is never believed.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import BinaryIO

from domain.index.filenames import InvalidFile

CHUNK_BYTES = 64 * 1024
MAX_MEMBERS = 50_000
MAX_MEMBER_NAME_LENGTH = 512
MAX_METADATA_BYTES = 2 * 1024**2
MAX_UNPACKED_BYTES = 4 * 1024**3
# A bomb is told from a well-packed file by its ratio, above a size that harms nobody (PyPI's figures).
MAX_RATIO = 50
HARMLESS_BYTES = 64 * 1024**2

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_DRIVE = re.compile(r"[A-Za-z]:")


class Contents:
    """What has been seen of an archive so far."""

    def __init__(self, *, archive_bytes: int) -> None:
        self._archive_bytes = archive_bytes
        self._unpacked_bytes = 0
        self._is_folder: dict[str, bool] = {}
        self._by_place: dict[str, str] = {}

    def add(self, name: str, *, is_folder: bool) -> None:
        """Take note of a member. Raises InvalidFile if its name is unsafe or taken, or it is one too many."""
        check_member_name(name)
        if name in self._is_folder:
            raise InvalidFile(f"The archive holds {shown(name)} twice.")
        other = self._by_place.setdefault(_place(name), name)
        if other != name and not (is_folder and self._is_folder[other]):
            raise InvalidFile(
                f"The archive holds {shown(other)} and {shown(name)}, which are one file on Windows and macOS."
                " Rename one of them."
            )
        if len(self._is_folder) == MAX_MEMBERS:
            raise InvalidFile(f"The archive holds more than {MAX_MEMBERS} files.")
        self._is_folder[name] = is_folder

    def has_file(self, name: str) -> bool:
        """Whether a member of this name was added that is no folder."""
        return self._is_folder.get(name) is False

    def measured(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass unpacked bytes on. Raises InvalidFile as soon as the whole archive unpacks to too many."""
        for piece in pieces:
            self._unpacked_bytes += len(piece)
            if self._unpacked_bytes > MAX_UNPACKED_BYTES:
                raise InvalidFile(f"The archive unpacks to more than {MAX_UNPACKED_BYTES // 10**9} GB.")
            if self._unpacked_bytes > max(HARMLESS_BYTES, MAX_RATIO * self._archive_bytes):
                raise InvalidFile(f"The archive unpacks to more than {MAX_RATIO} times its size.")
            yield piece

    def check_tree(self) -> None:
        """Raise InvalidFile if a member lies beneath one that is no folder.

        Beneath a link it would be written wherever the link points.
        """
        # With the separator lowest of all signs, a member is followed at once by what lies beneath it.
        in_order = sorted(self._by_place, key=lambda place: place.replace("/", "\0"))
        for above, below in pairwise(in_order):
            if below.startswith(f"{above}/") and not self._is_folder[self._by_place[above]]:
                raise InvalidFile(f"The archive holds {shown(self._by_place[below])} beneath a file or link.")


def check_member_name(name: str) -> None:
    """Raise InvalidFile unless this is a plain relative path ("acme/cli.py") on every system."""
    if len(name) > MAX_MEMBER_NAME_LENGTH:
        raise InvalidFile(f"The archive holds a name of more than {MAX_MEMBER_NAME_LENGTH} characters.")
    if _UNPRINTABLE.search(name):
        raise InvalidFile(f"The archive holds {shown(name)}: names must be UTF-8 without control characters.")
    if name.startswith("/") or "\\" in name or _DRIVE.match(name):
        raise InvalidFile(f"The archive holds {shown(name)}: names must be relative, with / between folders.")
    if any(part in {"", ".", ".."} for part in name.split("/")):
        raise InvalidFile(f"The archive holds {shown(name)}: names must not go up or have empty parts.")


def _place(name: str) -> str:
    """The same for names that a file system which knows no case, or no two forms of an accent, takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def shown(name: str) -> str:
    """A member's name for a message: one line of ASCII, cut where it is long."""
    return ascii(name[:80])


def pieces_of(file: BinaryIO, count: int) -> Iterator[bytes]:
    """The next `count` bytes of a file, in pieces. Raises InvalidFile if it has fewer."""
    while count:
        piece = file.read(min(count, CHUNK_BYTES))
        if not piece:
            raise InvalidFile("The archive is cut off.")
        count -= len(piece)
        yield piece


def inflate(pieces: Iterable[bytes], *, wbits: int) -> Iterator[bytes]:
    """Decompress, a bounded piece at a time.

    wbits: the form of the stream as zlib counts it: -15 for the members of a zip, 31 for gzip.
    Raises InvalidFile if the stream is damaged, ends early, or is followed by anything.
    """
    inflater = zlib.decompressobj(wbits)
    try:
        for piece in pieces:
            waiting = piece
            while waiting:
                if inflater.eof:
                    raise InvalidFile("The archive holds something after the end of its compressed data.")
                if unpacked := inflater.decompress(waiting, CHUNK_BYTES):
                    yield unpacked
                waiting = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        # What did not fit into the last piece is still in the inflater.
        while not inflater.eof and (rest := inflater.decompress(b"", CHUNK_BYTES)):
            yield rest
    except zlib.error:
        raise InvalidFile("The archive is damaged: its compressed data cannot be read.") from None
    if not inflater.eof:
        raise InvalidFile("The archive is cut off.")
