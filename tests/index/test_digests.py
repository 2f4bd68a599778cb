"""An upload is counted and digested while it arrives, and leaves nothing when it fails."""

import hashlib
import io
from pathlib import Path

import pytest

from domain.index.digests import FileTooLarge, receive

CONTENT = b"acme" * 300_000  # several chunks


def test_a_file_is_written_counted_and_digested(tmp_path: Path) -> None:
    received = receive(io.BytesIO(CONTENT), tmp_path, limit_bytes=len(CONTENT))

    assert received.path.parent == tmp_path
    assert received.path.read_bytes() == CONTENT
    assert received.size_bytes == len(CONTENT)
    assert received.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert received.blake2_256 == hashlib.blake2b(CONTENT, digest_size=32).hexdigest()
    assert received.md5 == hashlib.md5(CONTENT).hexdigest()  # noqa: S324 - some clients send it


def test_nothing_is_a_file_too(tmp_path: Path) -> None:
    received = receive(io.BytesIO(b""), tmp_path, limit_bytes=10)

    assert received.size_bytes == 0
    assert received.sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_one_byte_too_many_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileTooLarge):
        receive(io.BytesIO(CONTENT), tmp_path, limit_bytes=len(CONTENT) - 1)

    assert list(tmp_path.iterdir()) == []


def test_the_refusal_names_the_limit() -> None:
    assert FileTooLarge(100_000_000).message == "File too large. Limit is 100 MB."
    assert FileTooLarge(500_000).message == "File too large. Limit is 0.5 MB."


def test_reading_stops_soon_after_the_limit(tmp_path: Path) -> None:
    endless = Endless()

    with pytest.raises(FileTooLarge):
        receive(endless, tmp_path, limit_bytes=1_000_000)

    assert endless.given < 2_000_000


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError):
        receive(Broken(), tmp_path, limit_bytes=1_000_000)

    assert list(tmp_path.iterdir()) == []


class Endless:
    """A client that never stops sending."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int, /) -> bytes:
        self.given += size
        return bytes(size)


class Broken:
    """A client that goes away after the first piece."""

    def __init__(self) -> None:
        self.pieces = [b"first"]

    def read(self, size: int, /) -> bytes:
        if not self.pieces:
            raise ConnectionResetError
        return self.pieces.pop()
