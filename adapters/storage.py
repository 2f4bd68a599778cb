"""Where uploaded files are kept: blobs found by the SHA-256 of their bytes, over obstore."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, MemoryStore, ObjectStore, S3Store, from_url

_SHA256 = re.compile("[0-9a-f]{64}")
_CLOUDS = {"s3", "gs", "az"}
_PIECE_BYTES = 4 * 1024 * 1024  # fetched at once, so that a slow reader keeps no connection to the cloud waiting
_PIECES_AT_ONCE = 2  # of 5 MiB each, held in memory while a large file is written; obstore would hold 12
# A cloud that does not answer must not hold a thread for the three minutes that obstore would wait.
_PATIENCE = timedelta(seconds=30)  # for one answer
_CONNECTS_WITHIN = timedelta(seconds=5)
_TRIES_FOR = timedelta(seconds=10)


class StoreFault(Exception):
    """The place of the files does not do what it is asked for: out of reach, full, gone, or it wants other credentials.

    The text is for the operator's log, and may name the place.
    """


class Blob:
    """The bytes of a blob, in pieces, each fetched when it is asked for. size_bytes: of all of them.

    As of a file, reading begins where `seek` has gone. Raises StoreFault.
    """

    def __init__(self, store: ObjectStore, key: str, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._store, self._key, self._at = store, key, 0

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, at: int) -> None:
        """Go to this byte."""
        self._at = at

    def tell(self) -> int:
        """Where reading goes on."""
        return self._at

    def __iter__(self) -> "Blob":
        return self

    def __next__(self) -> bytes:
        length = min(_PIECE_BYTES, self.size_bytes - self._at)
        if length <= 0:
            raise StopIteration
        with _faults():
            piece = obstore.get_range(self._store, self._key, start=self._at, length=length)
        self._at += length
        return bytes(piece)


class BlobStore:
    """Blobs by content address. A blob is there wholly or not at all, and never changes.

    incoming: a folder of this machine, for its user alone, for files on their way here.
    Every method takes a SHA-256 as 64 lower-case hexadecimal digits, and raises ValueError for anything else; and
    StoreFault.
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

    def open(self, sha256: str) -> Blob:
        """The bytes of a blob, of which none is fetched yet. Raises FileNotFoundError if there is no such blob."""
        key = key_of(sha256)
        with _faults():
            return Blob(self._store, key, obstore.head(self._store, key)["size"])

    def signed_url(self, sha256: str, valid_for: timedelta) -> str:
        """An address at which whoever has it gets the blob for a while, from the cloud itself."""
        assert isinstance(self._store, S3Store | GCSStore | AzureStore)  # noqa: S101 - the settings allow it there alone
        with _faults():
            return obstore.sign(self._store, "GET", key_of(sha256), valid_for)

    def exists(self, sha256: str) -> bool:
        """Whether the blob is kept here."""
        try:
            with _faults():
                obstore.head(self._store, key_of(sha256))
        except FileNotFoundError:
            return False
        return True

    def listed(self) -> Iterator[tuple[str, int, datetime]]:
        """All blobs: digest, size in bytes, and when each was written."""
        with _faults():
            for batch in obstore.list(self._store):
                for found in batch:
                    if _SHA256.fullmatch(sha256 := found["path"].replace("/", "")):
                        yield sha256, found["size"], found["last_modified"]

    def remove(self, sha256: str) -> None:
        """Forget a blob. Harmless if it is not there."""
        with suppress(FileNotFoundError), _faults():
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
        with _faults():
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
            with _faults():
                obstore.put(self._store, staged, content, max_concurrency=_PIECES_AT_ONCE)
                sync(self._folder / staged)
                obstore.rename(self._store, staged, key)
        except BaseException:
            (self._folder / staged).unlink(missing_ok=True)
            raise
        fan = key[:2]
        with _faults():
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
        # Without TLS only where the operator names such an address, as of a server in the same rack.
        options = {"timeout": _PATIENCE, "connect_timeout": _CONNECTS_WITHIN, "allow_http": True}
        retries = {"max_retries": 3, "retry_timeout": _TRIES_FOR}
        store = from_url(url, client_options=options, retry_config=retries)  # type: ignore[call-overload]
        return BlobStore(store, incoming=data_dir / "incoming")
    raise ValueError(f"{url!r} names no place for files. Use file:, file:///path, memory: or s3://bucket/prefix.")


@contextmanager
def _faults() -> Iterator[None]:
    """Tell of all that goes wrong out there in one way; what is not there is no fault."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as fault:
        raise StoreFault(str(fault).partition("\n")[0]) from fault  # obstore goes on with its own inside


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
