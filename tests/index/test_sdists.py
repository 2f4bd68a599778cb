"""Sdists that are no sound gzipped tar, or would write outside their own folder, are refused."""

import gzip
import io
import struct
import tarfile
from pathlib import Path

import pytest

from domain.index import members
from domain.index.archives import inspect
from domain.index.filenames import InvalidFile, parse_filename
from tests.packages import Package, a_metadata, a_targz, an_sdist

FOLDER = "acme_utils-1.0"


def read(package: Package, folder: Path) -> bytes:
    filename = parse_filename(f"{FOLDER}.tar.gz", name="acme-utils", version="1.0")
    return inspect(package.write(folder), filename).metadata


def packed(content: bytes) -> Package:
    return Package(f"{FOLDER}.tar.gz", content)


def tar(*entries: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A good sdist's tar, before gzip, with further members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, data in ((f"{FOLDER}/PKG-INFO", a_metadata()), *entries):
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    return buffer.getvalue()


def member(name: str, kind: bytes, *, to: str = "") -> tarfile.TarInfo:
    header = tarfile.TarInfo(f"{FOLDER}/{name}")
    header.type = kind
    header.linkname = to
    return header


def attributes(kind: bytes, data: bytes) -> bytes:
    """The blocks of an extended header, as they stand before a member."""
    header = tarfile.TarInfo("extended")
    header.type = kind
    header.size = len(data)
    return header.tobuf(tarfile.USTAR_FORMAT) + data.ljust(-(-len(data) // 512) * 512, b"\0")


def pax(key: str, value: str) -> bytes:
    record = f" {key}={value}\n".encode()
    length = len(record) + 2
    assert 10 <= length < 100
    return str(length).encode() + record


@pytest.mark.parametrize("folder", [None, "acme-utils-1.0", "Acme.Utils-1.0.0"])
def test_a_good_sdist_gives_its_metadata(tmp_path: Path, folder: str | None) -> None:
    metadata = a_metadata("acme-utils", "1.0", Summary="Ça va", description="# Grüße\n")

    assert read(an_sdist(metadata=metadata, folder=folder), tmp_path) == metadata


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_every_form_of_tar_is_read_with_its_long_names(tmp_path: Path, form: int) -> None:
    name = f"{FOLDER}/{'folder/' * 20}{'x' * 60}.py"

    assert read(packed(gzip.compress(tar((name, b"x" * 1000), form=form))), tmp_path) == a_metadata()


def test_folders_and_links_within_the_sdist_are_welcome(tmp_path: Path) -> None:
    sdist = an_sdist(
        extra={"docs/index.rst": b""},
        members=[
            member("licenses", tarfile.DIRTYPE),
            member("docs/readme", tarfile.SYMTYPE, to="../pyproject.toml"),
            member("docs/all", tarfile.SYMTYPE, to=".."),
            member("here", tarfile.SYMTYPE, to="./docs/"),
            member("same", tarfile.LNKTYPE, to=f"{FOLDER}/pyproject.toml"),
        ],
    )

    assert read(sdist, tmp_path) == a_metadata()


def test_the_commit_that_git_archive_writes_in_front_is_welcome(tmp_path: Path) -> None:
    content = attributes(tarfile.XGLTYPE, pax("comment", "0123456789abcdef")) + tar()

    assert read(packed(gzip.compress(content)), tmp_path) == a_metadata()


@pytest.mark.parametrize("content", [b"", b"\x1f", b"x" * 1000, b"\0" * 10_000, tar(), b"BZh9" + b"x" * 100])
def test_what_is_no_gzip_is_no_sdist(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidFile, match=r"cut off|damaged"):
        read(packed(content), tmp_path)


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"x" * 5000, tar()[:-10240], tar()[:700], tar()[:1024]])
def test_a_gzip_of_no_whole_tar_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidFile, match=r"cut off|damaged"):
        read(packed(gzip.compress(content)), tmp_path)


def test_an_empty_tar_is_no_sdist(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="has no PKG-INFO"):
        read(packed(gzip.compress(bytes(10240))), tmp_path)


@pytest.mark.parametrize("tail", [b"\0", b"tail", gzip.compress(b"more", mtime=0)])
def test_bytes_after_the_gzip_are_refused(tmp_path: Path, tail: bytes) -> None:
    with pytest.raises(InvalidFile, match="after the end of its compressed data"):
        read(packed(an_sdist().content + tail), tmp_path)


def test_bytes_after_the_tar_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="something after its end"):
        read(packed(gzip.compress(tar() + tar())), tmp_path)


@pytest.mark.parametrize("counted", ["from the start", "backwards"])
def test_a_zip_at_the_end_of_an_sdist_is_refused(tmp_path: Path, counted: str) -> None:
    stored = gzip.compress(tar() + b"PK\1\2" + bytes(42) + b"PK\5\6" + bytes(18), compresslevel=0)
    directory, end = stored.index(b"PK\1\2"), stored.index(b"PK\5\6")
    lengths = struct.pack("<LL", *((46, 0) if counted == "backwards" else (0, directory)))
    stored = stored[: end + 12] + lengths + stored[end + 20 :]

    with pytest.raises(InvalidFile, match="is a ZIP archive, not an sdist"):
        read(packed(stored), tmp_path)


def test_four_bytes_of_a_zip_alone_do_not_make_one(tmp_path: Path) -> None:
    stored = gzip.compress(tar((f"{FOLDER}/data", b"PK\5\6" + bytes(60))), compresslevel=0)
    assert b"PK\5\6" in stored

    assert read(packed(stored), tmp_path) == a_metadata()


def test_a_tar_in_place_of_a_wheel_is_refused(tmp_path: Path) -> None:
    filename = parse_filename("acme_utils-1.0-py3-none-any.whl", name="acme-utils", version="1.0")

    with pytest.raises(InvalidFile, match="tar archive, not a wheel"):
        inspect(packed(tar()).write(tmp_path), filename)


def test_an_sdist_without_metadata_is_refused(tmp_path: Path) -> None:
    content = a_targz([(tarfile.TarInfo(f"{FOLDER}/setup.py"), b"")])

    with pytest.raises(InvalidFile, match="has no PKG-INFO"):
        read(packed(content), tmp_path)


def test_metadata_that_is_a_link_is_no_metadata(tmp_path: Path) -> None:
    content = a_targz([(member("PKG-INFO", tarfile.SYMTYPE, to="setup.py"), b"")])

    with pytest.raises(InvalidFile, match="has no PKG-INFO"):
        read(packed(content), tmp_path)


@pytest.mark.parametrize("name", ["other/setup.py", "setup.py", "acme_utils-1.1/setup.py", "ACME-UTILS-1.0/setup.py"])
def test_a_member_outside_the_one_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidFile, match=r"must hold one folder, 'acme_utils-1\.0'"):
        read(packed(gzip.compress(tar((name, b"")))), tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../evil.py",
        f"{FOLDER}/../evil.py",
        f"{FOLDER}/a/../../../evil.py",
        f"./{FOLDER}/evil.py",
        f"{FOLDER}//evil.py",
        f"{FOLDER}/evil\n.py",
        f"{FOLDER}/a\\b",
        f"C:/{FOLDER}/evil.py",
        f"{FOLDER}/{'x' * 600}",
        f"{FOLDER}/caf\udce9",
        "",
    ],
)
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_a_member_with_an_unsafe_name_is_refused(tmp_path: Path, name: str, form: int) -> None:
    with pytest.raises(InvalidFile, match=r"The archive holds|attributes that not every installer reads"):
        read(packed(gzip.compress(tar((name, b""), form=form))), tmp_path)


@pytest.mark.parametrize(
    "target",
    [
        "/etc/passwd",
        "../evil",
        "../../evil",
        f"../{FOLDER}/pyproject.toml",
        f"../../{FOLDER}/pyproject.toml",
        "src/../../evil",
        "src/../pyproject.toml",
        "..",
        "a\\b",
        "C:/windows",
    ],
)
def test_a_symbolic_link_out_of_the_folder_is_refused(tmp_path: Path, target: str) -> None:
    sdist = an_sdist(members=[member("link", tarfile.SYMTYPE, to=target)])

    with pytest.raises(InvalidFile, match=r"leads out of its folder|The archive holds"):
        read(sdist, tmp_path)


@pytest.mark.parametrize("target", ["/etc/passwd", "../evil", "evil", f"{FOLDER}/later", FOLDER, ""])
def test_a_hard_link_to_anything_but_an_earlier_file_is_refused(tmp_path: Path, target: str) -> None:
    sdist = an_sdist(members=[member("link", tarfile.LNKTYPE, to=target), member("later", tarfile.REGTYPE)])

    with pytest.raises(InvalidFile, match="link to no file of the sdist"):
        read(sdist, tmp_path)


@pytest.mark.parametrize("link_first", [True, False])
def test_a_member_beneath_a_link_is_refused(tmp_path: Path, link_first: bool) -> None:
    link, beneath = member("link", tarfile.SYMTYPE, to="src"), member("link/evil.py", tarfile.REGTYPE)

    with pytest.raises(InvalidFile, match="beneath a file or link"):
        read(an_sdist(members=[link, beneath] if link_first else [beneath, link]), tmp_path)


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE, b"Z"])
def test_devices_and_unknown_kinds_are_refused(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(InvalidFile, match="a device or of an unknown kind"):
        read(an_sdist(members=[member("device", kind)]), tmp_path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_a_link_or_folder_with_contents_of_its_own_is_refused(tmp_path: Path, kind: bytes) -> None:
    header = member("docs", kind, to="PKG-INFO")
    header.size = 512

    with pytest.raises(InvalidFile, match="a device or of an unknown kind"):
        read(packed(gzip.compress(header.tobuf() + bytes(512) + tar())), tmp_path)


def test_a_negative_size_is_refused(tmp_path: Path) -> None:
    header = bytearray(tar()[:512])
    header[124:136] = b"\xff" * 12  # -1 in GNU's binary form
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)

    with pytest.raises(InvalidFile, match="negative size"):
        read(packed(gzip.compress(bytes(header) + tar()[512:])), tmp_path)


def test_a_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="twice"):
        read(an_sdist(members=[member("PKG-INFO", tarfile.REGTYPE)]), tmp_path)


@pytest.mark.parametrize(("name", "other"), [("A.py", "a.py"), ("caf\u00e9.txt", "cafe\u0301.txt")])
def test_two_names_that_some_systems_take_for_one_are_refused(tmp_path: Path, name: str, other: str) -> None:
    with pytest.raises(InvalidFile, match="one file on Windows and macOS"):
        read(an_sdist(extra={name: b"1", other: b"2"}), tmp_path)


def test_folders_that_differ_in_case_alone_merge_without_harm(tmp_path: Path) -> None:
    assert read(an_sdist(members=[member("Data", tarfile.DIRTYPE), member("data", tarfile.DIRTYPE)]), tmp_path)


@pytest.mark.parametrize(
    "blocks",
    [
        attributes(tarfile.XGLTYPE, pax("path", f"{FOLDER}/evil")),
        attributes(tarfile.XHDTYPE, pax("path", f"{FOLDER}/a")) + attributes(b"L", f"{FOLDER}/b".encode()),
        attributes(b"L", b"a") + attributes(b"L", b"b"),
        attributes(tarfile.XHDTYPE, b"x" * 70_000),
        attributes(tarfile.XHDTYPE, pax("GNU.sparse.major", "1")),
        attributes(tarfile.XHDTYPE, pax("hdrcharset", "BINARY")),
        attributes(tarfile.XHDTYPE, pax("size", "-1")),
        attributes(tarfile.XHDTYPE, pax("size", "many")),
        attributes(tarfile.XHDTYPE, b"no record"),
        attributes(tarfile.XHDTYPE, b"99 path=a\n"),
        attributes(tarfile.XHDTYPE, b"3 path=a\n"),
        attributes(tarfile.XHDTYPE, b"999999999999 path=a\n"),
    ],
)
def test_headers_that_readers_could_take_differently_are_refused(tmp_path: Path, blocks: bytes) -> None:
    with pytest.raises(InvalidFile):
        read(packed(gzip.compress(blocks + tar())), tmp_path)


def test_the_end_may_not_come_between_attributes_and_their_member(tmp_path: Path) -> None:
    content = tar()[: 512 * 2] + attributes(tarfile.XHDTYPE, pax("mtime", "1700000000")) + bytes(1024)

    with pytest.raises(InvalidFile, match="cut off"):
        read(packed(gzip.compress(content)), tmp_path)


def test_a_member_that_claims_more_than_there_is_is_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo(f"{FOLDER}/PKG-INFO")
    header.size = 8 * 1024**4

    with pytest.raises(InvalidFile, match="PKG-INFO is too large"):
        read(packed(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(5120))), tmp_path)


def test_a_bomb_is_refused_while_it_is_unpacked(tmp_path: Path) -> None:
    sdist = an_sdist(extra={"zeros": bytes(members.HARMLESS_BYTES)})
    assert len(sdist.content) < 100_000

    with pytest.raises(InvalidFile, match="more than 50 times its size"):
        read(sdist, tmp_path)


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MAX_MEMBERS", 10)

    with pytest.raises(InvalidFile, match="more than 10 files"):
        read(an_sdist(extra={f"m{number}": b"" for number in range(10)}), tmp_path)


def test_too_much_metadata_is_refused(tmp_path: Path) -> None:
    metadata = a_metadata(description="x" * members.MAX_METADATA_BYTES)

    with pytest.raises(InvalidFile, match="PKG-INFO is too large"):
        read(an_sdist(metadata=metadata), tmp_path)
