"""An upload on its way in: one pass that counts it, computes its digests and puts it on disk."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol

from domain.problems import Problem

_CHUNK_BYTES = 256 * 1024


class FileTooLarge(Problem):
    """More bytes than this index, or this project, takes in one file."""

    def __init__(self, limit_bytes: int, *, project: str | None = None) -> None:
        whose = f"Limit for project {project!a}" if project else "Limit"
        limit = f"{limit_bytes / 10**6:g} MB"
        super().__init__(f"File too large. {whose} is {limit}.", field="content", code="file_too_large")


class Stream(Protocol):
    """Bytes that are still arriving."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


@dataclass(frozen=True)
class Received:
    """A file that has arrived. Digests are lower-case hexadecimal; the file at `path` is the caller's to remove."""

    path: Path
    size_bytes: int
    sha256: str
    blake2_256: str
    md5: str


class Digester:
    """Counts and digests what passes, up to a limit."""

    def __init__(self, *, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._sha256 = hashlib.sha256()
        self._blake2_256 = hashlib.blake2b(digest_size=32)
        self._md5 = hashlib.md5(usedforsecurity=False)  # hatch, poetry and flit send it; nothing rests on it
        self.size_bytes = 0

    def update(self, piece: bytes) -> None:
        """Take the next piece. Raises FileTooLarge as soon as there have been too many bytes."""
        self.size_bytes += len(piece)
        if self.size_bytes > self._limit_bytes:
            raise FileTooLarge(self._limit_bytes)
        for digest in (self._sha256, self._blake2_256, self._md5):
            digest.update(piece)

    def received(self, path: Path) -> Received:
        """What has passed, written to `path`."""
        return Received(
            path=path,
            size_bytes=self.size_bytes,
            sha256=self._sha256.hexdigest(),
            blake2_256=self._blake2_256.hexdigest(),
            md5=self._md5.hexdigest(),
        )


def receive(stream: Stream, directory: Path, *, limit_bytes: int) -> Received:
    """Write a stream to a new file in `directory`, which exists.

    Raises FileTooLarge while reading, after at most one chunk too many; then, as after any failure of the
    stream or the disk, no file is left.
    """
    digester = Digester(limit_bytes=limit_bytes)
    with NamedTemporaryFile(dir=directory, delete=False) as file:
        path = Path(file.name)
        try:
            while piece := stream.read(_CHUNK_BYTES):
                digester.update(piece)
                file.write(piece)
            file.flush()
        except BaseException:
            path.unlink()
            raise
    return digester.received(path)
