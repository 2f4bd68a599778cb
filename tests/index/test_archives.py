"""Whatever bytes are uploaded, the answer is the metadata or a refusal in words, in little memory."""

import gzip
import io
import tarfile
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.index import members
from domain.index.archives import inspect
from domain.index.filenames import InvalidFile, parse_filename
from tests.packages import Package, a_wheel, an_sdist

WHEEL = a_wheel(extra={"acme_utils/data.txt": b"x = 1\n" * 40, "acme_utils/empty/": b""})
SDIST = an_sdist(extra={"data.txt": b"x = 1\n" * 40, "a" * 120: b""})
PLAIN_TAR = gzip.decompress(SDIST.content)


def metadata_in(package: Package, content: bytes) -> bytes | None:
    """What we find, or None for a refusal. Any other exception fails the test."""
    filename = parse_filename(package.filename, name="acme-utils", version="1.0")
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            return inspect(Path(file.name), filename).metadata
        except InvalidFile:
            return None


def metadata_for_installers(package: Package, content: bytes) -> bytes:
    """What Python's own readers find, once they have read every member to its end."""
    if package is WHEEL:
        with zipfile.ZipFile(io.BytesIO(content)) as wheel:
            assert wheel.testzip() is None
            return wheel.read("acme_utils-1.0.dist-info/METADATA")
    with tarfile.open(fileobj=io.BytesIO(content)) as sdist, tempfile.TemporaryDirectory() as folder:
        undated = [member.replace(mtime=0) for member in sdist]  # no file system knows all dates of a tar
        sdist.extractall(folder, members=undated, filter="data")
        return Path(folder, "acme_utils-1.0", "PKG-INFO").read_bytes()


def peak_bytes_of(read: Callable[[], bytes | None]) -> int:
    """The most memory that a refusal takes."""
    tracemalloc.start()
    try:
        assert read() is None
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("package", [WHEEL, SDIST])
@given(content=st.binary(max_size=2000))
def test_random_bytes_are_refused(package: Package, content: bytes) -> None:
    assert metadata_in(package, content) is None


@pytest.mark.parametrize("package", [WHEEL, SDIST])
def test_a_package_cut_off_anywhere_is_refused(package: Package) -> None:
    for length in range(len(package.content)):
        assert metadata_in(package, package.content[:length]) is None, length


@pytest.mark.parametrize("package", [WHEEL, SDIST])
@settings(max_examples=400)
@given(data=st.data())
def test_changed_bytes_are_refused_or_seen_by_installers_as_by_us(package: Package, data: st.DataObject) -> None:
    content = bytearray(package.content)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    found = metadata_in(package, bytes(content))

    assert found is None or found == metadata_for_installers(package, bytes(content))


@settings(max_examples=400)
@given(st.data())
def test_changed_tar_headers_are_refused_or_seen_by_installers_as_by_us(data: st.DataObject) -> None:
    content = bytearray(PLAIN_TAR)
    block = memoryview(content)[512 * data.draw(st.integers(0, len(content) // 512 - 1)) :][:512]
    for _ in range(data.draw(st.integers(1, 4))):
        block[data.draw(st.integers(0, 511))] = data.draw(st.sampled_from(b"\0\xff/.0123456789xgLKS\\aZ"))
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)  # a header whose checksum is right is looked at closely
    packed = gzip.compress(content)

    found = metadata_in(SDIST, packed)

    assert found is None or found == metadata_for_installers(SDIST, packed)


@pytest.mark.parametrize(
    "package",
    [a_wheel(extra={"zeros": bytes(members.HARMLESS_BYTES)}), an_sdist(extra={"zeros": bytes(members.HARMLESS_BYTES)})],
    ids=["wheel", "sdist"],
)
def test_a_bomb_is_read_in_little_memory(package: Package) -> None:
    assert peak_bytes_of(lambda: metadata_in(package, package.content)) < 4 * 1024**2


def test_metadata_larger_than_it_says_is_not_given_the_memory() -> None:
    metadata = bytes(members.HARMLESS_BYTES // 2 + 12_345)
    wheel = a_wheel(metadata=metadata)
    size = len(metadata).to_bytes(4, "little")
    content = wheel.content.replace(size, (10).to_bytes(4, "little"))
    assert wheel.content.count(size) == 2

    assert peak_bytes_of(lambda: metadata_in(WHEEL, content)) < 4 * 1024**2


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.REGTYPE])
def test_a_header_that_claims_much_is_not_given_the_memory(kind: bytes) -> None:
    header = tarfile.TarInfo("acme_utils-1.0/PKG-INFO")
    header.type = kind
    header.size = members.HARMLESS_BYTES
    content = gzip.compress(header.tobuf() + bytes(members.HARMLESS_BYTES))

    assert peak_bytes_of(lambda: metadata_in(SDIST, content)) < 4 * 1024**2
