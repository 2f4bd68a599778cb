"""RECORD: what a wheel says of each of its files, held against what is in it (PEP 376, PEP 427)."""

import base64
import binascii
import csv
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from domain.index.filenames import InvalidFile
from domain.index.members import shown

MAX_BYTES = 16 * 1024**2
# PEP 427: sha256 or better. A line may name another one than the next.
_ALGORITHMS = ("sha256", "sha384", "sha512")
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")  # of the RECORD itself, and so not in it
_ADVICE = "Build the wheel again, and change nothing in it afterwards."


@dataclass(frozen=True)
class Line:
    """What RECORD says of one file. size_bytes: None where it says none."""

    algorithm: str
    digest: bytes
    size_bytes: int | None


class Record:
    """The lines of a RECORD, by file."""

    def __init__(self, lines: Mapping[str, Line], *, own_names: frozenset[str]) -> None:
        self._lines = lines
        self._own_names = own_names

    def check(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass the bytes of a file on. Raises InvalidFile if RECORD does not list it, or lists another content."""
        if name in self._own_names:
            yield from pieces
            return
        line = self._lines.get(name)
        if line is None:
            raise InvalidFile(f"The wheel's RECORD does not list {shown(name)}. {_ADVICE}")
        length, found = 0, hashlib.new(line.algorithm)
        for piece in pieces:
            length += len(piece)
            found.update(piece)
            yield piece
        is_same = hmac.compare_digest(found.digest(), line.digest) and line.size_bytes in (None, length)
        if not is_same:
            raise InvalidFile(f"The wheel's RECORD tells of another content of {shown(name)}. {_ADVICE}")

    def missing(self, names: Iterable[str]) -> str | None:
        """A file that RECORD lists and the wheel, which holds these, does not."""
        return next(iter(sorted(self._lines.keys() - set(names) - self._own_names)), None)


def read_record(content: bytes, folder: str) -> Record:
    """Read a RECORD. folder: the .dist-info that it lies in. Raises InvalidFile."""
    own_names = frozenset(f"{folder}/{name}" for name in ("RECORD", *_SIGNATURES))
    lines: dict[str, Line] = {}
    try:
        rows = [row for row in csv.reader(content.decode().splitlines(), strict=True) if row]
    except (UnicodeDecodeError, csv.Error):
        raise InvalidFile(f"The wheel's RECORD cannot be read: it is no CSV in UTF-8. {_ADVICE}") from None
    for row in rows:
        if len(row) != 3 or row[0] in lines:
            raise InvalidFile(f"The wheel's RECORD is wrong where it lists {shown(row[0])}. {_ADVICE}")
        if row[0] not in own_names:
            lines[row[0]] = _line(*row)
    return Record(lines, own_names=own_names)


def _line(name: str, hashed: str, size: str) -> Line:
    algorithm, _, digest = hashed.partition("=")
    if algorithm not in _ALGORITHMS:
        raise InvalidFile(f"The wheel's RECORD has no SHA-256 or stronger digest of {shown(name)}. {_ADVICE}")
    try:
        decoded = base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4))
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != hashlib.new(algorithm).digest_size or (size and not (size.isascii() and size.isdigit())):
        raise InvalidFile(f"The wheel's RECORD is wrong where it lists {shown(name)}. {_ADVICE}")
    return Line(algorithm, decoded, int(size[:20]) if size else None)
