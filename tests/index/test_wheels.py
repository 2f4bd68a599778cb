"""Wheels that are no sound ZIP, or would be read differently by different readers, are refused."""

import io
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from domain.index import members
from domain.index.archives import inspect
from domain.index.filenames import InvalidFile, parse_filename
from tests.packages import Package, a_metadata, a_wheel, a_zip


def read(package: Package, folder: Path) -> bytes:
    filename = parse_filename("acme_utils-1.0-py3-none-any.whl", name="acme-utils", version="1.0")
    return inspect(package.write(folder), filename).metadata


def packed(content: bytes) -> Package:
    return Package("acme_utils-1.0-py3-none-any.whl", content)


def with_member(info: zipfile.ZipInfo, data: bytes = b"") -> Package:
    """A good wheel to which zipfile adds one more member."""
    buffer = io.BytesIO(a_wheel().content)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(info, data)
    return packed(buffer.getvalue())


def patched(old: bytes, new: bytes, *, times: int = -1) -> Package:
    """A good wheel with some bytes replaced by as many others."""
    content = a_wheel().content
    assert old in content
    assert len(old) == len(new)
    return packed(content.replace(old, new, times))


@pytest.mark.parametrize(
    "dist_info", [None, "acme-utils-1.0.dist-info", "Acme.Utils-1.0.0.dist-info", "ACME_UTILS-1.0.dist-info"]
)
def test_a_good_wheel_gives_its_metadata(tmp_path: Path, dist_info: str | None) -> None:
    metadata = a_metadata("acme-utils", "1.0", Summary="Ça va", description="# Grüße\n")

    found = read(a_wheel(metadata=metadata, dist_info=dist_info), tmp_path)

    assert found == metadata


def test_folders_and_members_stored_without_compression_are_at_home_in_a_wheel(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("acme_utils/", b"")
        with zipfile.ZipFile(io.BytesIO(a_wheel().content)) as good:
            for name in good.namelist():
                archive.writestr(name, good.read(name))

    assert read(packed(buffer.getvalue()), tmp_path) == a_metadata("acme-utils", "1.0")


@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 1000, b"\0" * 1000, b"\x1f\x8b" + b"\0" * 100])
def test_what_is_no_zip_is_no_wheel(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidFile, match="not a wheel"):
        read(packed(content), tmp_path)


def test_an_empty_zip_is_no_wheel(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"one \.dist-info folder\. It has 0"):
        read(packed(a_zip({})), tmp_path)


@pytest.mark.parametrize("missing", ["METADATA", "WHEEL", "RECORD"])
def test_a_wheel_without_its_three_files_is_refused(tmp_path: Path, missing: str) -> None:
    with pytest.raises(InvalidFile, match=f"has no {missing} in its folder"):
        read(a_wheel(without=(missing,)), tmp_path)


@pytest.mark.parametrize("dist_info", ["other-1.0.dist-info", "acme_utils-1.1.dist-info", "acme_utils.dist-info"])
def test_a_wheel_of_something_else_is_refused(tmp_path: Path, dist_info: str) -> None:
    with pytest.raises(InvalidFile, match="does not match the filename"):
        read(a_wheel(dist_info=dist_info), tmp_path)


def test_a_wheel_with_two_dist_info_folders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="It has 2"):
        read(a_wheel(extra={"other-1.0.dist-info/METADATA": b""}), tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "../evil.py",
        "acme/../../evil.py",
        "acme/..",
        "/etc/passwd",
        "//server/share",
        "C:/evil.py",
        "c:evil.py",
        "acme//evil.py",
        "./evil.py",
        "acme/./evil.py",
        "",
        "/",
        "evil\n.py",
        "evil\x1b[2J.py",
        "a" * 513,
    ],
)
def test_a_member_with_an_unsafe_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidFile, match="The archive holds"):
        read(a_wheel(extra={name: b""}), tmp_path)


@pytest.mark.parametrize("name", [b"acme_utils\\__init__.py", b"acme_utils\0__init__.py", b"acme_utils\xff__init__.py"])
def test_a_name_that_zipfile_would_not_write_is_refused(tmp_path: Path, name: bytes) -> None:
    with pytest.raises(InvalidFile, match="The archive holds"):
        read(patched(b"acme_utils/__init__.py", name), tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    wheel = with_member(zipfile.ZipInfo("acme_utils-1.0.dist-info/METADATA"), b"Name: evil")

    with pytest.raises(InvalidFile, match="twice"):
        read(wheel, tmp_path)


def test_a_folder_named_like_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="twice"):
        read(a_wheel(extra={"acme_utils/__init__.py/": b""}), tmp_path)


def test_a_member_beneath_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="beneath a file"):
        read(a_wheel(extra={"acme_utils/__init__.py!": b"", "acme_utils/__init__.py/x.py": b""}), tmp_path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_a_member_that_is_neither_file_nor_folder_is_refused(tmp_path: Path, kind: int) -> None:
    info = zipfile.ZipInfo("acme_utils/link")
    info.external_attr = (kind | 0o777) << 16

    with pytest.raises(InvalidFile, match="a link, a device, or a folder"):
        read(with_member(info, b"/etc/passwd"), tmp_path)


def test_a_folder_with_contents_of_its_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="contents of its own"):
        read(with_member(zipfile.ZipInfo("folder/"), b"hidden"), tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_not_every_installer_reads_is_refused(tmp_path: Path, method: int) -> None:
    info = zipfile.ZipInfo("acme_utils/data")
    info.compress_type = method

    with pytest.raises(InvalidFile, match="not every installer"):
        read(with_member(info, b"data"), tmp_path)


class _Forward(io.BytesIO):
    """A file that cannot be gone back in, so that zipfile writes sizes after the data."""

    def tell(self) -> int:
        raise io.UnsupportedOperation("tell")


def test_sizes_that_follow_the_data_are_refused(tmp_path: Path) -> None:
    buffer = _Forward()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("acme_utils/__init__.py", b"")

    with pytest.raises(InvalidFile, match="not every installer"):
        read(packed(buffer.getvalue()), tmp_path)


def test_a_member_for_readers_of_the_future_is_refused(tmp_path: Path) -> None:
    content = bytearray(a_wheel().content)
    content[content.index(b"PK\1\2") + 6] = 64

    with pytest.raises(InvalidFile, match="not every installer"):
        read(packed(bytes(content)), tmp_path)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    content = bytearray(a_wheel().content)
    content[6] |= 1  # the flags of the first member …
    content[content.index(b"PK\1\2") + 8] |= 1  # … and of its entry in the directory

    with pytest.raises(InvalidFile, match="encrypted"):
        read(packed(bytes(content)), tmp_path)


@pytest.mark.parametrize("kind", [0x0001, 0x7075])
def test_extra_fields_that_change_size_or_name_are_refused(tmp_path: Path, kind: int) -> None:
    info = zipfile.ZipInfo("acme_utils/data")
    info.extra = struct.pack("<HH2xHH", 0x9999, 2, kind, 0)

    with pytest.raises(InvalidFile, match="ZIP64 or a second name"):
        read(with_member(info), tmp_path)


def test_a_member_named_differently_in_its_own_header_is_refused(tmp_path: Path) -> None:
    wheel = patched(b"acme_utils/__init__.py", b"acme_utils/__evil__.py", times=1)

    with pytest.raises(InvalidFile, match="two different things"):
        read(wheel, tmp_path)


def test_bytes_between_members_are_refused(tmp_path: Path) -> None:
    content = a_wheel().content
    start = content.index(b"PK\1\2")
    directory_start = struct.pack("<L", start)
    assert content.count(directory_start) == 1
    hidden = content[:start] + b"hidden" + content[start:].replace(directory_start, struct.pack("<L", start + 6))

    with pytest.raises(InvalidFile, match="belong to no member"):
        read(packed(hidden), tmp_path)


def test_a_member_hidden_between_two_others_is_refused(tmp_path: Path) -> None:
    content = a_wheel().content
    second = content.index(b"PK\3\4", 4)
    hidden = content[4:second]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        offsets = [info.header_offset for info in archive.infolist()]
    content = content[:second] + b"PK\3\4" + hidden + content[second:]
    for offset in offsets[1:]:
        moved = struct.pack("<L", offset + second)
        assert content.count(struct.pack("<L", offset)) == 1
        content = content.replace(struct.pack("<L", offset), moved)
    start = content.index(b"PK\1\2")
    content = content[:-6] + struct.pack("<L", start) + content[-2:]

    with pytest.raises(InvalidFile, match="belong to no member"):
        read(packed(content), tmp_path)


@pytest.mark.parametrize("place", [4, 6, 8, 10, 12, 16])
def test_an_end_that_disagrees_with_the_directory_is_refused(tmp_path: Path, place: int) -> None:
    content = bytearray(a_wheel().content)
    content[-22 + place] += 1  # disk, disk of the directory, counts, length, start

    with pytest.raises(InvalidFile):
        read(packed(bytes(content)), tmp_path)


def test_bytes_between_the_directory_and_the_end_are_refused(tmp_path: Path) -> None:
    content = a_wheel().content

    with pytest.raises(InvalidFile, match="something was added"):
        read(packed(content[:-22] + b"hidden" + content[-22:]), tmp_path)


@pytest.mark.parametrize("where", ["before", "after"])
def test_bytes_around_the_archive_are_refused(tmp_path: Path, where: str) -> None:
    content = a_wheel().content

    with pytest.raises(InvalidFile):
        read(packed(b"#!/bin/sh\n" + content if where == "before" else content + b"tail"), tmp_path)


def test_a_comment_on_the_archive_is_refused(tmp_path: Path) -> None:
    content = a_wheel().content

    with pytest.raises(InvalidFile, match="does not end as a ZIP"):
        read(packed(content[:-2] + b"\5\0notes"), tmp_path)


def with_comment_on_last_member(comment: bytes) -> Package:
    """A good wheel whose directory ends with a comment."""
    buffer = io.BytesIO(a_wheel().content)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.infolist()[-1].comment = comment
        archive._didModify = True  # type: ignore[attr-defined]  # nothing else makes zipfile write it anew
    return packed(buffer.getvalue())


def test_a_comment_on_a_member_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"comment on its member 'acme_utils-1\.0\.dist-info/RECORD'"):
        read(with_comment_on_last_member(b"notes"), tmp_path)


def test_a_second_directory_within_the_first_is_refused(tmp_path: Path) -> None:
    other_end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 0, 0, 0, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)
    wheel = with_comment_on_last_member(other_end + locator)
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        assert archive.namelist() == []  # what an installer would see

    with pytest.raises(InvalidFile, match="uses ZIP64"):
        read(wheel, tmp_path)


def test_a_name_that_is_not_marked_as_utf_8_is_refused(tmp_path: Path) -> None:
    wheel = a_wheel(extra={"acme_utils/\u00e9.txt": b""})
    content = wheel.content
    for header, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        start = content.index(header, content.index("acme_utils/\u00e9".encode()) - 50)
        start = content.rindex(header, 0, content.index("acme_utils/\u00e9".encode(), start))
        assert content[start + place : start + place + 2] == b"\0\x08"
        content = content[: start + place] + b"\0\0" + content[start + place + 2 :]
    assert read(wheel, tmp_path)

    with pytest.raises(InvalidFile, match="does not mark the name"):
        read(packed(content), tmp_path)


@pytest.mark.parametrize(
    ("name", "other"),
    [("acme_utils/A.py", "acme_utils/a.py"), ("caf\u00e9.txt", "cafe\u0301.txt"), ("Acme_Utils", "acme_utils/")],
    ids=["case", "form of an accent", "file and folder"],
)
def test_two_names_that_some_systems_take_for_one_are_refused(tmp_path: Path, name: str, other: str) -> None:
    with pytest.raises(InvalidFile, match="one file on Windows and macOS"):
        read(a_wheel(extra={name: b"1", other: b"" if other.endswith("/") else b"2"}), tmp_path)


def test_a_file_and_a_folder_without_a_member_that_some_systems_take_for_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="beneath a file or link"):
        read(a_wheel(extra={"Acme_Utils": b""}), tmp_path)


def test_a_file_that_says_that_it_is_a_folder_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("acme_utils/odd")
    info.external_attr = (stat.S_IFDIR | 0o755) << 16

    with pytest.raises(InvalidFile, match="a link, a device, or a folder"):
        read(with_member(info), tmp_path)


def test_extra_fields_longer_than_their_place_are_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("acme_utils/odd")
    info.extra = struct.pack("<2H", 0xCAFE, 9) + b"short"

    with pytest.raises(InvalidFile, match="extra fields"):
        read(with_member(info), tmp_path)


def test_a_member_that_unpacks_to_more_than_it_says_is_refused(tmp_path: Path) -> None:
    data = b"x = 1\n" * 100
    wheel = a_wheel(extra={"data.py": data})
    told, lie = struct.pack("<LL", zlib.crc32(data), 0), struct.pack("<LL", zlib.crc32(data[:6]), 0)
    content = wheel.content.replace(told[:4], lie[:4])
    size, small = struct.pack("<L", len(data)), struct.pack("<L", 6)
    assert content.count(size) == 2

    with pytest.raises(InvalidFile, match="another size or checksum"):
        read(packed(content.replace(size, small)), tmp_path)


def test_a_member_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    checksum = struct.pack("<L", zlib.crc32(b"x = 1\n"))
    content = a_wheel(extra={"data.py": b"x = 1\n"}).content.replace(checksum, b"oops")

    with pytest.raises(InvalidFile, match="another size or checksum"):
        read(packed(content), tmp_path)


def test_a_bomb_is_refused_while_it_is_unpacked(tmp_path: Path) -> None:
    wheel = a_wheel(extra={"zeros": bytes(members.HARMLESS_BYTES + 1)})
    assert len(wheel.content) < 100_000

    with pytest.raises(InvalidFile, match="more than 50 times its size"):
        read(wheel, tmp_path)


def test_much_data_of_an_honest_ratio_is_no_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "HARMLESS_BYTES", 10)

    assert read(a_wheel(extra={"data.py": b"x = 1\n" * 100}), tmp_path)


def test_more_than_the_greatest_total_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MAX_UNPACKED_BYTES", 1000)

    with pytest.raises(InvalidFile, match="unpacks to more than"):
        read(a_wheel(extra={"one": b"x" * 600, "other": b"x" * 600}), tmp_path)


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    content = a_zip({f"m{number}": b"" for number in range(members.MAX_MEMBERS + 1)})

    with pytest.raises(InvalidFile, match="more than 50000 files"):
        read(packed(content), tmp_path)


def test_too_much_metadata_is_refused(tmp_path: Path) -> None:
    metadata = a_metadata(description="x" * members.MAX_METADATA_BYTES)

    with pytest.raises(InvalidFile, match="METADATA is too large"):
        read(a_wheel(metadata=metadata), tmp_path)
