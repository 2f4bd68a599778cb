"""An archive of a gigabyte is checked to its last byte in a process that stays small.

The archives are files with holes: their gigabyte is zeros that no disk holds, and that are not compressed, or they
would be refused as bombs. Each is read in a process of its own, whose greatest size the system tells: VmHWM, since
that of getrusage begins with the size of the process that started it.
"""

import hashlib
import struct
import subprocess
import sys
import tarfile
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.hostile import FOLDER, INFO, SDIST_NAME, WHEEL_NAME, Member, tar_member, zipped
from tests.packages import a_metadata

BIG_BYTES = 1024**3
MOST_BYTES = 200 * 1024**2
_BLOCK_BYTES = 0xFFFF  # the most that deflate keeps in one block as it is (RFC 1951 3.2.4)
_CHUNK = bytes(1024**2)

READ = """
import re, sys
from pathlib import Path
from domain.index.archives import inspect
from domain.index.filenames import parse_filename
path = Path(sys.argv[1])
print(len(inspect(path, parse_filename(path.name, name="acme-utils", version="1.0")).metadata))
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024)
"""


@cache
def _sums_of_zeros() -> tuple[int, str]:
    """The checksum of the big member and its digest as RECORD has it."""
    crc, digest = 0, hashlib.sha256()
    for _ in range(BIG_BYTES // len(_CHUNK)):
        crc = zlib.crc32(_CHUNK, crc)
        digest.update(_CHUNK)
    return crc, urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def a_big_wheel(folder: Path) -> Path:
    """A wheel with a stored member of BIG_BYTES zeros as its last."""
    crc, digest = _sums_of_zeros()
    small = {
        f"{INFO}/METADATA": a_metadata(),
        f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in small.items()]
    small[f"{INFO}/RECORD"] = "\n".join([*lines, f"big,sha256={digest},{BIG_BYTES}", f"{INFO}/RECORD,,"]).encode()
    told = {"crc": crc, "packed": BIG_BYTES, "unpacked": BIG_BYTES}
    big = Member(b"big", b"", local=told, central=told, is_stored=True)
    parts = [*(Member(name.encode(), data) for name, data in small.items()), big]
    content = zipped(parts, end={})
    directory = content.index(b"PK\1\2")
    path = folder / WHEEL_NAME
    with path.open("wb") as file:
        file.write(content[:directory])
        file.seek(BIG_BYTES, 1)
        end = bytearray(content[directory:])
        end[-6:-2] = struct.pack("<L", directory + BIG_BYTES)
        file.write(end)
    return path


def an_sdist_of_a_gigabyte(folder: Path) -> Path:
    """An sdist with a member of BIG_BYTES zeros, in blocks of deflate that are not compressed."""
    header = tarfile.TarInfo(f"{FOLDER}/big")
    header.size = BIG_BYTES
    front = tar_member(f"{FOLDER}/PKG-INFO", a_metadata()) + header.tobuf()
    length = len(front) + BIG_BYTES + 1024
    crc = zlib.crc32(front)
    for _ in range(BIG_BYTES // len(_CHUNK)):
        crc = zlib.crc32(_CHUNK, crc)
    crc = zlib.crc32(bytes(1024), crc)
    path = folder / SDIST_NAME
    with path.open("wb") as file:
        file.write(b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + _block_head(len(front), is_last=False) + front)
        left = length - len(front)
        while left:
            size = min(left, _BLOCK_BYTES)
            left -= size
            file.write(_block_head(size, is_last=not left))
            file.seek(size, 1)
        file.write(struct.pack("<2L", crc, length % 2**32))
    return path


def _block_head(size: int, *, is_last: bool) -> bytes:
    return struct.pack("<B2H", is_last, size, size ^ 0xFFFF)


def _digest(data: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the greatest size so exactly")
@pytest.mark.parametrize("make", [a_big_wheel, an_sdist_of_a_gigabyte], ids=["wheel", "sdist"])
def test_a_gigabyte_is_read_in_less_than_200_mb(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path)
    assert path.stat().st_size > BIG_BYTES

    reading = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, check=True)

    assert reading.stderr == ""
    metadata_length, peak_bytes = map(int, reading.stdout.split())
    assert metadata_length == len(a_metadata())
    assert peak_bytes < MOST_BYTES
