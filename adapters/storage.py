"""Where uploaded files are kept: blobs found by the SHA-256 of their bytes, over obstore."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

_SHA256 = re.compile("[0-9a-f]{64}")
_CLOUDS = {"s3", "gs", "az"}
_CHUNK_BYTES = 256 * 1024
_PIECES_AT_ONCE = 2  # of 5 MiB each, held in memory while a large file is written; obstore would hold 12


class BlobStore:
    """Blobs by content address. A blob is there wholly or not at all, and never changes.

    incoming: a folder of this machine, for its user alone, for files on their way here.
    Every method takes a SHA-256 as 64 lower-case hexadecimal digits, and raises ValueError for anything else.
    """

    def __init__(self, store: ObjectStore, *, incoming: Path) -> None:
        self._store = store
        self.incoming = incoming
        incoming.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, sha256: str, path: Path) -> None:
        """Keep a copy of the file at `path`, whose digest the caller has computed.

        On return the blob survives a power cut. Putting it again, even at the same time, does no harm.
        """
        self._write(key_of(sha256), path)

    def put_bytes(self, sha256: str, content: bytes) -> None:
        """Keep a small blob, such as a wheel's METADATA; otherwise as `put`."""
        self._write(key_of(sha256), content)

    def open(self, sha256: str) -> tuple[int, Iterator[bytes]]:
        """The size of a blob in bytes, and its bytes in chunks. Raises FileNotFoundError if there is no such blob."""
        result = obstore.get(self._store, key_of(sha256))
        return result.meta["size"], iter(result.stream(min_chunk_size=_CHUNK_BYTES))

    def exists(self, sha256: str) -> bool:
        """Whether the blob is kept here."""
        try:
            obstore.head(self._store, key_of(sha256))
        except FileNotFoundError:
            return False
        return True

    def listed(self) -> Iterator[tuple[str, int, datetime]]:
        """All blobs: digest, size in bytes, and when each was written."""
        for batch in obstore.list(self._store):
            for found in batch:
                if _SHA256.fullmatch(sha256 := found["path"].replace("/", "")):
                    yield sha256, found["size"], found["last_modified"]

    def remove(self, sha256: str) -> None:
        """Forget a blob. Harmless if it is not there."""
        with suppress(FileNotFoundError):
            obstore.delete(self._store, key_of(sha256))

    def local_path(self, sha256: str) -> Path | None:
        """Where the blob lies, for the kernel to send, or None where blobs are not files of this machine."""
        key_of(sha256)
        return None

    def clear_incoming(self, *, before: datetime) -> int:
        """Remove files older than `before`, left by uploads that a crash cut short, and say how many."""
        cleared = 0
        for path in self.incoming.iterdir():
            with suppress(FileNotFoundError):  # its upload has just ended
                if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                    path.unlink()
                    cleared += 1
        return cleared

    def _write(self, key: str, content: Path | bytes) -> None:
        # Memory has nothing to survive; a cloud answers when the object is kept, and shows it only then.
        obstore.put(self._store, key, content, max_concurrency=_PIECES_AT_ONCE)


class LocalBlobStore(BlobStore):
    """Blobs in a folder of this machine.

    obstore writes a file under another name and renames it, but leaves it to the system when the disk gets it
    (object_store can be told to sync, obstore 0.12 cannot tell it). After a power cut a name could then stand
    for an empty file. So here the bytes reach the disk before the name does, and the name before we return.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(LocalStore(folder, mkdir=True), incoming=folder / "incoming")
        self._folder = folder
        self._kept: set[str] = set()  # folders whose names the disk has, as far as this process has seen to it

    def local_path(self, sha256: str) -> Path | None:
        """Where the blob lies, if it is kept."""
        return self._folder / key_of(sha256)

    def _write(self, key: str, content: Path | bytes) -> None:
        staged = f"{self.incoming.name}/{secrets.token_hex(16)}"
        try:
            obstore.put(self._store, staged, content, max_concurrency=_PIECES_AT_ONCE)
            sync(self._folder / staged)
            obstore.rename(self._store, staged, key)
        except BaseException:
            (self._folder / staged).unlink(missing_ok=True)
            raise
        fan = key[:2]
        sync(self._folder / key[:5])
        sync(self._folder / fan)
        if fan not in self._kept:
            sync(self._folder)
            self._kept.add(fan)


def open_store(url: str, data_dir: Path) -> BlobStore:
    """The store that a URL names. Raises ValueError, in words for the operator, if it names none.

    `file:` is the folder `blobs` of the data folder, `file:///path` another folder, `memory:` is forgotten at
    the end. `s3://bucket/prefix` (also `gs:`, `az:`) takes its settings from the usual variables of the cloud,
    for S3 from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT.
    A store that was used does not survive a fork, because obstore's threads do not: open it in the worker.
    """
    parts = urlsplit(url)
    if url == "file:":
        return LocalBlobStore(data_dir.absolute() / "blobs")
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return LocalBlobStore(Path(unquote(parts.path)))
    if url == "memory:":
        return BlobStore(MemoryStore(), incoming=data_dir / "incoming")
    if parts.scheme in _CLOUDS and parts.netloc:
        return BlobStore(from_url(url), incoming=data_dir / "incoming")
    raise ValueError(f"{url!r} names no place for files. Use file:, file:///path, memory: or s3://bucket/prefix.")


def key_of(sha256: str) -> str:
    """Where a blob lies in its store. Raises ValueError for what is no digest."""
    # Fanned out so that no folder gets too many entries; checked so that no caller's mistake becomes a path.
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"{sha256!r} is not a SHA-256 digest in hexadecimal.")
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256[4:]}"


def sync(path: Path) -> None:
    """Wait until the disk has the file, or the folder's list of names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
