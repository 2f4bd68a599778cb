"""Thousands of archives made to deceive: each is refused in words, or is one thing to all who read it.

500 of each kind in the tests, 5,000 of each with `make fuzz`.
"""

import io
import sys
import tarfile
import tempfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, given, settings

from domain.index.archives import Archive, inspect
from domain.index.filenames import Filename, InvalidFile, parse_filename
from tests.hostile import CENTRAL, INFO, LOCAL, SDIST_NAME, WHEEL_NAME, sdists, wheels

EXAMPLES = max(500, settings().max_examples)
MOST_BYTES = 16 * 1024**2
thorough = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

_written: list[str] | None = None


_WRITING = {"os.mkdir", "os.rename", "os.symlink", "os.link", "os.remove", "os.truncate", "subprocess.Popen"}


def _watch(action: str, arguments: tuple[Any, ...]) -> None:
    """What Python itself tells of everything that is opened to be written, or made or moved."""
    if _written is None:
        return
    is_opened_to_write = action == "open" and set(str(arguments[1])) & set("wax+")
    if is_opened_to_write or action in _WRITING:
        _written.append(f"{action} {arguments[0]}")


sys.addaudithook(_watch)


@contextmanager
def nothing_written() -> Iterator[None]:
    global _written
    found: list[str] = []
    _written = found
    try:
        yield
    finally:
        _written = None
    assert found == []


def look_into(name: str, content: bytes) -> Archive | None:
    """What we find, or None for a refusal; nothing is written, and little memory taken. All else fails the test."""
    filename = parse_filename(name, name="acme-utils", version="1.0")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        tracemalloc.start()
        with nothing_written():
            found = _inspected(path, filename)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST_BYTES
    if isinstance(found, Archive):
        event("taken")
        return found
    event("refused")
    assert str(found).isprintable()
    assert len(str(found)) < 700
    return None


def _inspected(path: Path, filename: Filename) -> Archive | InvalidFile:
    try:
        return inspect(path, filename)
    except InvalidFile as refusal:
        return refusal


def members_by_directory(content: bytes) -> dict[str, bytes]:
    """A ZIP's members as installers find them: by the directory at its end."""
    with zipfile.ZipFile(io.BytesIO(content)) as wheel:
        names = wheel.namelist()
        assert len(set(names)) == len(names)
        return {name: wheel.read(name) for name in names}


def members_in_a_row(content: bytes) -> dict[str, bytes]:
    """A ZIP's members as those find them who read from the front and know no directory."""
    found: dict[str, bytes] = {}
    position = 0
    while content.startswith(b"PK\3\4", position):
        told = {}
        for key, width in LOCAL.items():
            told[key] = int.from_bytes(content[position : position + width], "little")
            position += width
        name = content[position : position + told["name_length"]].decode()
        position += told["name_length"] + told["extra_length"]
        packed = content[position : position + told["packed"]]
        position += told["packed"]
        assert name not in found
        found[name] = zlib.decompress(packed, wbits=-15) if told["method"] else packed
    assert content.startswith(b"PK\1\2", position)
    assert len(content) > position + sum(CENTRAL.values())
    return found


@thorough
@given(wheels())
def test_a_hostile_wheel_is_refused_or_one_thing_to_all(content: bytes) -> None:
    archive = look_into(WHEEL_NAME, content)

    if archive is not None:
        found = members_by_directory(content)
        assert found == members_in_a_row(content)
        assert found[f"{INFO}/METADATA"] == archive.metadata
        assert all(archive.contents.has_file(name) for name in found if not name.endswith("/"))


@thorough
@given(sdists())
def test_a_hostile_sdist_is_refused_or_laid_down_as_we_read_it(content: bytes) -> None:
    archive = look_into(SDIST_NAME, content)

    if archive is not None:
        with tarfile.open(fileobj=io.BytesIO(content)) as sdist, tempfile.TemporaryDirectory() as folder:
            inside = Path(folder, "inside")
            undated = [member.replace(mtime=0, mode=0o700) for member in sdist]
            sdist.extractall(inside, members=undated, filter="data")
            assert [path.name for path in Path(folder).iterdir()] == ["inside"]
            assert [path.name for path in inside.iterdir()] == ["acme_utils-1.0"]
            assert (inside / "acme_utils-1.0" / "PKG-INFO").read_bytes() == archive.metadata
            assert all(archive.contents.has_file(member.name) for member in undated if member.isreg())


def test_the_untouched_archives_of_the_strategies_are_taken() -> None:
    """Without this, a strategy whose archives are all refused for one silly reason would prove nothing."""
    taken: set[str] = set()

    @settings(max_examples=300, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(wheels(), sdists())
    def look(wheel: bytes, sdist: bytes) -> None:
        taken.update(name for name, content in ((WHEEL_NAME, wheel), (SDIST_NAME, sdist)) if look_into(name, content))

    look()

    assert taken == {WHEEL_NAME, SDIST_NAME}
