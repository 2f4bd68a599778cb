"""Files in a bucket of S3: as in a folder, and one plain fault for all that can go wrong there."""

import hashlib
import os
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.storage import BlobStore, StoreFault, key_of, open_store
from tests.cloud import NAME, URL, Cloud, a_cloud, be_configured

CONTENT = os.urandom(12_000_000)  # of several parts, for it is sent in pieces of 5 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def store(cloud: Cloud, tmp_path: Path) -> BlobStore:
    return open_store(URL, tmp_path)


@pytest.fixture
def kept(store: BlobStore, tmp_path: Path) -> BlobStore:
    path = tmp_path / "upload"
    path.write_bytes(CONTENT)
    store.put(SHA256, path)
    return store


def test_a_blob_lies_in_the_bucket_as_in_a_folder(kept: BlobStore, cloud: Cloud) -> None:
    assert cloud.names() == [f"kept/here/{key_of(SHA256)}"]
    assert b"".join(kept.open(SHA256)) == CONTENT
    assert [(sha256, size) for sha256, size, _ in kept.listed()] == [(SHA256, len(CONTENT))]
    assert datetime.now(UTC) - next(kept.listed())[2] < timedelta(minutes=5)
    assert kept.local_path(SHA256) is None


def test_a_part_is_fetched_without_the_rest(kept: BlobStore, cloud: Cloud) -> None:
    cloud.asked.clear()

    blob = kept.open(SHA256)
    blob.seek(11_000_000)

    assert b"".join(blob) == CONTENT[11_000_000:]
    assert [method for method, *_ in cloud.asked] == ["HEAD", "GET"]


def test_nothing_is_fetched_before_it_is_read(kept: BlobStore, cloud: Cloud) -> None:
    cloud.asked.clear()

    kept.open(SHA256)

    assert [method for method, *_ in cloud.asked] == ["HEAD"]


def test_what_is_not_there_is_no_fault(store: BlobStore) -> None:
    assert not store.exists(SHA256)
    store.remove(SHA256)
    with pytest.raises(FileNotFoundError):
        store.open(SHA256)


def test_a_blob_can_be_removed(kept: BlobStore, cloud: Cloud) -> None:
    kept.remove(SHA256)

    assert cloud.names() == []


def every_way(store: BlobStore, path: Path) -> Iterator[str]:
    """What of all that a store does raises StoreFault."""
    ways = {
        "put": lambda: store.put(SHA256, path),
        "put_bytes": lambda: store.put_bytes(SHA256, b"small"),
        "open": lambda: store.open(SHA256),
        "exists": lambda: store.exists(SHA256),
        "listed": lambda: list(store.listed()),
        "remove": lambda: store.remove(SHA256),
    }
    for name, way in ways.items():
        try:
            way()  # type: ignore[no-untyped-call]
        except StoreFault:
            yield name


@pytest.mark.parametrize("status", [403, 500, 503])
def test_whatever_goes_wrong_there_is_one_fault(store: BlobStore, cloud: Cloud, tmp_path: Path, status: int) -> None:
    (tmp_path / "upload").write_bytes(b"small")
    cloud.fault = status
    began = time.monotonic()

    assert set(every_way(store, tmp_path / "upload")) == {"put", "put_bytes", "open", "exists", "listed", "remove"}
    assert time.monotonic() - began < 40


def test_a_bucket_that_is_not_there_is_a_fault_when_something_is_put(cloud: Cloud, tmp_path: Path) -> None:
    store = open_store("s3://another", tmp_path)

    with pytest.raises((StoreFault, FileNotFoundError)):
        store.put_bytes(SHA256, b"small")


def test_a_cloud_that_refuses_connections_is_given_up_in_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_cloud() as gone:
        be_configured(monkeypatch, gone)
    store, began = open_store(URL, tmp_path), time.monotonic()

    with pytest.raises(StoreFault):
        store.open(SHA256)

    assert time.monotonic() - began < 15


def test_a_fault_in_the_middle_of_reading_is_one_too(kept: BlobStore, cloud: Cloud) -> None:
    blob = kept.open(SHA256)
    next(blob)
    cloud.fault = 403

    with pytest.raises(StoreFault):
        next(blob)


def test_a_signed_address_needs_no_credentials_and_tells_no_secret(kept: BlobStore, cloud: Cloud) -> None:
    address = kept.signed_url(SHA256, timedelta(seconds=60))

    with urllib.request.urlopen(address) as answer:
        assert answer.read() == CONTENT
    assert f"/{NAME}/kept/here/" in address
    assert "X-Amz-Expires=60" in address
    assert "never-told" not in address
