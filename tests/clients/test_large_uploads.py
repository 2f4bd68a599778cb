"""A large file goes through a real server without being held in memory.

COUNTERSIGN_TEST_UPLOAD_MB makes it larger: 1000 takes half a minute.
"""

import hashlib
import os
import random
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.clients.installation import Installation
from tests.packages import a_metadata
from tests.uploading import authorized

pytestmark = pytest.mark.clients

MEGABYTES = int(os.environ.get("COUNTERSIGN_TEST_UPLOAD_MB", "150"))
MOST_MB, MOST_MORE_MB = 200, 50
BOUNDARY = "a-boundary-that-is-nowhere-else"
CHUNK_BYTES = 1024**2


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Installation]:
    """gunicorn as operators run it, with one process, so that it is clear whose memory grows."""
    index = Installation(tmp_path, COUNTERSIGN_WORKERS="1", COUNTERSIGN_MAX_FILE_MB=str(MEGABYTES + 10))
    yield index
    index.stop()


def a_large_wheel(folder: Path) -> Path:
    """A wheel of that many MB, which cannot be packed any smaller, with a true RECORD."""
    path, info = folder / "acme_utils-1.0-py3-none-any.whl", "acme_utils-1.0.dist-info"
    noise = random.Random(5)  # noqa: S311 - noise, not a secret
    record = ""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:

        def add(name: str, content: bytes) -> None:
            nonlocal record
            digest = urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(content)}\n"
            archive.writestr(name, content)

        add("acme_utils/__init__.py", b"")
        for number in range(MEGABYTES // 10):
            add(f"acme_utils/{number}.bin", noise.randbytes(10_000_000))
        add(f"{info}/METADATA", a_metadata())
        add(f"{info}/WHEEL", b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return path


def around(path: Path) -> tuple[bytes, bytes]:
    """What stands before and behind a file in the body."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    fields = {
        ":action": "file_upload", "name": "acme-utils", "version": "1.0", "filetype": "bdist_wheel",
        "pyversion": "py3", "sha256_digest": sha256,
    }  # fmt: skip
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"' for name in (*fields, "content")]
    texts = [*(f"\r\n\r\n{text}\r\n" for text in fields.values()), f'; filename="{path.name}"\r\n\r\n']
    head = "".join(part + text for part, text in zip(parts, texts, strict=True))
    return head.encode(), f"\r\n--{BOUNDARY}--\r\n".encode()


def send(index: Installation, token: str, path: Path) -> tuple[int, str]:
    """Upload a file as it lies on the disk; status and reason."""
    head, tail = around(path)

    def body() -> Iterator[bytes]:
        yield head
        with path.open("rb") as file:
            yield from iter(lambda: file.read(CHUNK_BYTES), b"")
        yield tail

    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(len(head) + path.stat().st_size + len(tail)),
    }
    connection = HTTPConnection(urlsplit(index.url).netloc, timeout=600)
    connection.request("POST", "/legacy/", body=body(), headers={**headers, **authorized(token)})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.reason


def test_memory_does_not_grow_with_the_file(index: Installation, tmp_path: Path) -> None:
    path = a_large_wheel(tmp_path)
    token = index.a_token(tmp_path)
    before = index.peak_mb()

    answers = [send(index, token, path) for _ in range(2)]  # the second one finds the file there

    assert answers == [(200, "OK")] * 2
    peak = index.peak_mb()
    told = f"{path.stat().st_size / 10**6:.0f} MB uploaded: {before:.0f} MB held before, {peak:.0f} MB at most"
    assert peak < MOST_MB, told
    assert peak - before < MOST_MORE_MB, told
