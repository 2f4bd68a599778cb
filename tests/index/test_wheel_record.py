"""RECORD, WHEEL and entry points of a wheel: what installers go by must be true, or the wheel is refused in words."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.index import archives, wheel_facts, wheel_record
from domain.index.filenames import InvalidFile, parse_filename
from tests.packages import Package, a_wheel

INFO = "acme_utils-1.0.dist-info"
MODULE, WHEEL = "acme_utils/__init__.py", f"{INFO}/WHEEL"
POINTS = f"{INFO}/entry_points.txt"


def inspect(package: Package, folder: Path) -> bytes:
    filename = parse_filename(package.filename, name="acme-utils", version="1.0")
    return archives.inspect(package.write(folder), filename).metadata


def line(content: bytes, name: str) -> bytes:
    """The line of RECORD about a file."""
    return next(each for each in content.splitlines() if each.startswith(name.encode() + b","))


def instead(name: str, change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """A RECORD with another line about a file."""
    return lambda content: content.replace(line(content, name), change(line(content, name)))


def digest(algorithm: str, data: bytes = b"") -> bytes:
    return base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=")


@pytest.mark.parametrize(
    "change",
    [
        bytes,
        lambda told: told.replace(b",0", b","),  # the size may be left out
        lambda told: b'"acme_utils/__init__.py",' + told.partition(b",")[2],
        lambda told: b"acme_utils/__init__.py,sha384=" + digest("sha384") + b",0",
        lambda told: b"acme_utils/__init__.py,sha512=" + digest("sha512") + b",0",
        lambda told: told + b"\r",
    ],
)
def test_a_true_record_in_any_form_is_taken(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    inspect(a_wheel(edit_record=instead(MODULE, change)), tmp_path)


@pytest.mark.parametrize("name", ["RECORD.jws", "RECORD.p7s"])
def test_signatures_of_the_record_cannot_stand_in_it(tmp_path: Path, name: str) -> None:
    without = instead(f"{INFO}/{name}", lambda told: b"")

    inspect(a_wheel(extra={f"{INFO}/{name}": b"signed"}, edit_record=without), tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda told: b"", "does not list 'acme_utils/__init__.py'"),
        (lambda told: told.replace(b",0", b",1"), "tells of another content of 'acme_utils/__init__.py'"),
        (
            lambda told: b"acme_utils/__init__.py,sha256=" + digest("sha256", b"x") + b",0",
            "tells of another content of 'acme_utils/__init__.py'",
        ),
        (lambda told: told + b"\nacme_utils/gone.py,sha256=" + digest("sha256") + b",0", "which is not in it"),
        (lambda told: told + b"\n" + told, "is wrong where it lists 'acme_utils/__init__.py'"),
        (lambda told: b"acme_utils/__init__.py,,", "no SHA-256 or stronger digest"),
        (lambda told: b"acme_utils/__init__.py,md5=" + digest("md5") + b",0", "no SHA-256 or stronger digest"),
        (lambda told: b"acme_utils/__init__.py,sha1=" + digest("sha1") + b",0", "no SHA-256 or stronger digest"),
        (lambda told: b"acme_utils/__init__.py,sha256=" + digest("sha512") + b",0", "is wrong where it lists"),
        (lambda told: b"acme_utils/__init__.py,sha256=!,0", "is wrong where it lists"),
        (lambda told: told.replace(b",0", b",-1"), "is wrong where it lists"),
        (lambda told: told.replace(b",0", ",٣".encode()), "is wrong where it lists"),
        (lambda told: told + b",more", "is wrong where it lists"),
        (lambda told: b"acme_utils/__init__.py", "is wrong where it lists"),
        (lambda told: b'"acme_utils/__init__.py', "cannot be read"),
        (lambda told: b"\xff" + told, "cannot be read"),
    ],
)
def test_a_record_that_is_not_true_is_refused(tmp_path: Path, change: Callable[[bytes], bytes], words: str) -> None:
    with pytest.raises(InvalidFile, match="RECORD") as refused:
        inspect(a_wheel(edit_record=instead(MODULE, change)), tmp_path)

    assert words in refused.value.message
    assert refused.value.message.isascii()


def test_a_record_of_endless_length_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheel_record, "MAX_BYTES", 200)

    with pytest.raises(InvalidFile, match=r"RECORD is too large\. The limit is 200 bytes\."):
        inspect(a_wheel(), tmp_path)


@pytest.mark.parametrize("version", ["1.0", "1.9", " 1.0 "])
def test_a_wheel_of_the_known_version_is_taken(tmp_path: Path, version: str) -> None:
    inspect(a_wheel(extra={WHEEL: f"Wheel-Version: {version}\nTag: py3-none-any\n".encode()}), tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "does not say its Wheel-Version"),
        (b"Tag: py3-none-any\n", "does not say its Wheel-Version"),
        (b"Wheel-Version: one\n", "does not say its Wheel-Version"),
        (b"Wheel-Version: 1\n", "does not say its Wheel-Version"),
        (b"Wheel-Version: 2.0\n", "says Wheel-Version 2.0"),
        (b"Wheel-Version: 0.1\n", "says Wheel-Version 0.1"),
        (b"\xff\xfe\0", "does not say its Wheel-Version"),
    ],
)
def test_a_wheel_that_installers_do_not_know_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        inspect(a_wheel(extra={WHEEL: content}), tmp_path)

    assert words in refused.value.message


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[console_scripts]\nacme = acme_utils.cli:main\nacme-2.0 = acme_utils:Tool.run [extra]\n",
        b"[gui_scripts]\nAcme=acme_utils:main\n",
        b"[acme.plugins]\nany name: with signs = acme_utils\n",
        b"\xef\xbb\xbf[console_scripts]\nacme = acme_utils:main\n",
        b"# nothing yet\n[console_scripts]\n",
    ],
)
def test_entry_points_that_installers_can_use_are_taken(tmp_path: Path, content: bytes) -> None:
    inspect(a_wheel(extra={POINTS: content}), tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"acme = acme_utils:main\n", "cannot be read"),
        (b"[console_scripts\n", "cannot be read"),
        (b"[console_scripts]\nacme\n", "cannot be read"),
        (b"[console_scripts]\nacme = a:b\nacme = a:c\n", "cannot be read"),
        (b"[a]\n[a]\n", "cannot be read"),
        (b"\xff\n", "cannot be read"),
        (b"[console_scripts]\n../../bin/sh = acme_utils:main\n", "'../../bin/sh' cannot be called so"),
        (b"[console_scripts]\n.. = acme_utils:main\n", "'..' cannot be called so"),
        (b"[gui_scripts]\na b = acme_utils:main\n", "'a b' cannot be called so"),
        (b"[console_scripts]\nacme = acme_utils\n", "names no object to call"),
        (b"[console_scripts]\nacme = os; import sys:main\n", "names no object to call"),
        (b"[console_scripts]\nacme =\n", "names no object to call"),
    ],
)
def test_entry_points_that_no_installer_can_use_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        inspect(a_wheel(extra={POINTS: content}), tmp_path)

    assert words in refused.value.message


@pytest.mark.parametrize("name", [WHEEL, POINTS])
def test_files_that_are_read_at_once_have_a_limit(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidFile, match=f"{name.rpartition('/')[2]} is too large"):
        inspect(a_wheel(extra={name: b"#" * (wheel_facts.MAX_BYTES + 1)}), tmp_path)
