"""Blobs are kept wholly or not at all, and survive what may go wrong while they are written."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.storage import BlobStore, StoreFault, open_store
from tests.cloud import Cloud

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()
KEY = f"{SHA256[:2]}/{SHA256[2:4]}/{SHA256[4:]}"


@pytest.fixture
def local(tmp_path: Path) -> BlobStore:
    return open_store("file:", tmp_path / "data")


@pytest.fixture(params=["file:", "memory:", "s3://packages/our/index"])
def store(request: pytest.FixtureRequest, tmp_path: Path, cloud: Cloud) -> BlobStore:
    return open_store(request.param, tmp_path / "data")


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    path = tmp_path / "upload"
    path.write_bytes(CONTENT)
    return path


def files_of(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_blob_comes_back_as_it_was_put(store: BlobStore, upload: Path) -> None:
    store.put(SHA256, upload)

    blob = store.open(SHA256)
    assert blob.size_bytes == len(CONTENT)
    assert b"".join(blob) == CONTENT
    assert store.exists(SHA256)
    assert upload.read_bytes() == CONTENT


@pytest.mark.parametrize("content", [b"", b"Metadata-Version: 2.4\n"])
def test_small_content_needs_no_file(store: BlobStore, content: bytes) -> None:
    sha256 = hashlib.sha256(content).hexdigest()

    store.put_bytes(sha256, content)

    blob = store.open(sha256)
    assert (blob.size_bytes, b"".join(blob)) == (len(content), content)


def test_putting_a_blob_again_changes_nothing(store: BlobStore, upload: Path) -> None:
    store.put(SHA256, upload)
    store.put(SHA256, upload)

    assert b"".join(store.open(SHA256)) == CONTENT


def test_what_was_never_put_is_not_there(store: BlobStore) -> None:
    assert not store.exists(SHA256)
    with pytest.raises(FileNotFoundError):
        store.open(SHA256)


@pytest.mark.parametrize("wrong", ["", "../../etc/passwd", SHA256.upper(), SHA256[:-1], SHA256 + "\n", "g" * 64])
def test_only_a_digest_is_a_key(store: BlobStore, upload: Path, wrong: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        store.put(wrong, upload)
    with pytest.raises(ValueError, match="not a SHA-256"):
        store.open(wrong)
    with pytest.raises(ValueError, match="not a SHA-256"):
        store.local_path(wrong)


def test_a_local_blob_lies_fanned_out_in_the_data_folder(local: BlobStore, upload: Path, tmp_path: Path) -> None:
    local.put(SHA256, upload)

    path = local.local_path(SHA256)
    assert path == tmp_path / "data" / "blobs" / KEY
    assert path.read_bytes() == CONTENT
    assert files_of(tmp_path / "data" / "blobs") == [KEY]


def test_another_folder_can_be_named(upload: Path, tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/my%20files", tmp_path / "data")

    store.put(SHA256, upload)

    assert (tmp_path / "my files" / KEY).read_bytes() == CONTENT


def test_the_memory_store_leaves_nothing_on_disk(upload: Path, tmp_path: Path) -> None:
    store = open_store("memory:", tmp_path / "data")

    store.put(SHA256, upload)

    assert store.local_path(SHA256) is None
    assert files_of(tmp_path / "data") == []


@pytest.mark.parametrize("url", ["", "blobs", "file:blobs", "file://host/path", "ftp://host/x", "s3:", "s3:///x"])
def test_a_url_that_names_no_store_is_explained(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="names no place for files"):
        open_store(url, tmp_path)


@pytest.mark.parametrize("failing", ["fsync", "rename"])
def test_a_failed_write_leaves_nothing_behind(
    local: BlobStore, upload: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(f"adapters.storage.{'os' if failing == 'fsync' else 'obstore'}.{failing}", fail)

    with pytest.raises(StoreFault, match="disk is full"):
        local.put(SHA256, upload)

    assert not local.exists(SHA256)
    assert files_of(tmp_path / "data") == []


def test_a_missing_upload_leaves_nothing_behind(local: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        local.put(SHA256, tmp_path / "nowhere")

    assert files_of(tmp_path / "data") == []


def test_the_bytes_reach_the_disk_before_the_name_and_the_name_before_the_answer(
    local: BlobStore, upload: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = tmp_path / "data" / "blobs"
    synced: list[tuple[str, bool]] = []

    def watch(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        name = "bytes" if path.parent == local.incoming else str(path.relative_to(blobs))
        synced.append((name, local.exists(SHA256)))

    monkeypatch.setattr(os, "fsync", watch)

    local.put(SHA256, upload)

    assert synced == [
        ("bytes", False),
        (f"{SHA256[:2]}/{SHA256[2:4]}", True),
        (SHA256[:2], True),
        (".", True),
    ]


def test_a_crash_before_the_name_is_given_leaves_only_what_is_cleared_later(
    local: BlobStore, upload: Path, tmp_path: Path
) -> None:
    crash = f"""
import os, pathlib, signal
from adapters.storage import open_store
store = open_store("file:", pathlib.Path({str(tmp_path / "data")!r}))
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
store.put({SHA256!r}, pathlib.Path({str(upload)!r}))
"""
    crashed = subprocess.run([sys.executable, "-c", crash], check=False, cwd=Path(__file__).parents[2])
    assert crashed.returncode == -signal.SIGKILL

    now = datetime.now(UTC)
    assert not local.exists(SHA256)
    assert len(files_of(local.incoming)) == 1
    assert local.clear_incoming(before=now - timedelta(hours=1)) == 0
    assert local.clear_incoming(before=now + timedelta(hours=1)) == 1
    assert files_of(local.incoming) == []


def test_the_same_blob_put_by_many_at_once_is_one_blob(store: BlobStore, upload: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(store.put, SHA256, upload) for _ in range(48)]:
            done.result()

    assert b"".join(store.open(SHA256)) == CONTENT
    assert list(store.incoming.iterdir()) == []


def test_a_reader_never_sees_half_a_blob(local: BlobStore, upload: Path) -> None:
    seen: set[int] = set()

    def look() -> None:
        while not finished.is_set():
            if local.exists(SHA256):
                seen.add(local.open(SHA256).size_bytes)

    finished = threading.Event()
    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(30):
        local.put(SHA256, upload)
    finished.set()
    reader.join()

    assert seen == {len(CONTENT)}
