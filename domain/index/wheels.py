"""How a wheel is packed: a strict reading of ZIP.

A ZIP tells everything twice, at each member and in a directory at the end, and readers differ in which they
believe. So both must agree, and members must lie end to end: then no reader sees another wheel than we do.
"""

import stat
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO

from domain.index import wheel_facts, wheel_record
from domain.index.filenames import Filename, InvalidFile
from domain.index.members import MAX_METADATA_BYTES, Contents, inflate, pieces_of, shown
from domain.index.wheel_facts import check_entry_points, check_wheel_file
from domain.index.wheel_record import read_record

_LOCAL = Struct("<4s5H3L2H")  # APPNOTE 4.3.7
_CENTRAL = Struct("<4s6H3L5H2L")  # 4.3.12
_END = Struct("<4s4H2LH")  # 4.3.16
_EXTRA = Struct("<HH")

_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
_DEFLATE_OPTIONS, _UTF8 = 0b110, 1 << 11  # all other flags change how a member is read
_MAX_NEEDED = 45  # readers stop at a version of ZIP that they do not know; 4.5 is what writers ask for
_ZIP64_LOCATOR, _ZIP64_LOCATOR_BYTES = b"PK\6\7", 20  # 4.3.15: stands right before the end
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075  # extra fields that change a member's sizes or its name


@dataclass(frozen=True)
class _Entry:
    """A member as the directory tells of it."""

    name: str
    raw_name: bytes
    needed: int
    flags: int
    method: int
    crc: int
    packed_bytes: int
    unpacked_bytes: int
    mode: int
    offset: int

    @property
    def is_folder(self) -> bool:
        return self.raw_name.endswith(b"/")


def read_wheel(file: BinaryIO, filename: Filename, contents: Contents) -> tuple[bytes, str]:
    """Check every member of a wheel and return its METADATA and the name of its .dist-info folder.

    Raises InvalidFile unless this is a sound ZIP with one folder `name-version.dist-info` that holds
    METADATA, WHEEL and a RECORD that lists all its files as they are (PEP 427).
    """
    entries, directory_start = _read_directory(file, contents)
    contents.check_tree()
    folder = _find_folder(entries, filename, contents)
    by_name = {entry.name: entry for entry in entries}
    record = read_record(_read_small(file, by_name[f"{folder}/RECORD"], wheel_record.MAX_BYTES), folder)
    if (missing := record.missing(name for name in by_name if contents.has_file(name))) is not None:
        raise InvalidFile(f"The wheel's RECORD lists {shown(missing)}, which is not in it.")

    position = 0
    for entry in sorted(entries, key=lambda entry: entry.offset):
        _check_place(entry.offset, position)
        _check_local_header(file, entry)
        pieces = _unpack(file, entry, contents)
        deque(pieces if entry.is_folder else record.check(entry.name, pieces), maxlen=0)
        position = file.tell()
    _check_place(directory_start, position)

    check_wheel_file(_read_small(file, by_name[f"{folder}/WHEEL"], wheel_facts.MAX_BYTES))
    if (entry_points := by_name.get(f"{folder}/entry_points.txt")) is not None:
        check_entry_points(_read_small(file, entry_points, wheel_facts.MAX_BYTES))
    return _read_small(file, by_name[f"{folder}/METADATA"], MAX_METADATA_BYTES), folder


def _check_place(expected: int, position: int) -> None:
    if expected != position:
        raise InvalidFile("The wheel has bytes that belong to no member, or members that overlap.")


def _read_directory(file: BinaryIO, contents: Contents) -> tuple[list[_Entry], int]:
    """The directory's entries in its own order, and where it starts."""
    end_of_file = file.seek(0, 2)
    file.seek(max(0, end_of_file - _END.size - _ZIP64_LOCATOR_BYTES))
    both = file.read()
    before, tail = both[: -_END.size], both[-_END.size :]
    if len(tail) < _END.size or not tail.startswith(b"PK\5\6"):
        raise InvalidFile("The file is not a wheel: it does not end as a ZIP archive does.")
    _, disk, first_disk, count, total_count, length, start, comment_length = _END.unpack(tail)
    whole = not (disk or first_disk or comment_length) and count == total_count
    # Readers that know ZIP64 look for its locator there, even within the directory, and go by another directory then.
    if before.startswith(_ZIP64_LOCATOR):
        raise InvalidFile("The wheel uses ZIP64. Use plain ZIP.")
    if not whole or start + length + _END.size != end_of_file:
        raise InvalidFile("The wheel's directory is damaged, or something was added to the file.")
    file.seek(start)
    entries = []
    for _ in range(count):
        entry = _read_entry(file)
        contents.add(entry.name, is_folder=entry.is_folder)
        entries.append(entry)
    _check_place(start + length, file.tell())
    return entries, start


def _read_entry(file: BinaryIO) -> _Entry:
    fields = _CENTRAL.unpack(_exactly(file, _CENTRAL.size))
    signature, _, needed, flags, method, _, _, crc, packed, unpacked = fields[:10]
    name_length, extra_length, comment_length, disk, _, attributes, offset = fields[10:]
    if signature != b"PK\1\2" or disk:
        raise InvalidFile("The wheel's directory is damaged.")
    raw_name = _exactly(file, name_length)
    _check_extra(_exactly(file, extra_length))
    try:
        name = raw_name.decode().removesuffix("/")
    except UnicodeDecodeError:
        raise InvalidFile(f"The archive holds {raw_name[:80]!a}: names must be UTF-8.") from None
    if comment_length:
        raise InvalidFile(f"The wheel has a comment on its member {shown(name)}. Build it without.")
    entry = _Entry(name, raw_name, needed, flags, method, crc, packed, unpacked, attributes >> 16, offset)
    _check_entry(entry)
    return entry


def _check_entry(entry: _Entry) -> None:
    if entry.flags & _ENCRYPTED:
        raise InvalidFile(f"The wheel's member {shown(entry.name)} is encrypted.")
    plain = entry.method in {_STORED, _DEFLATED} and not entry.flags & ~(_DEFLATE_OPTIONS | _UTF8)
    if not plain or entry.needed > _MAX_NEEDED:
        raise InvalidFile(
            f"The wheel's member {shown(entry.name)} is packed in a way that not every installer reads."
            " Use plain ZIP: stored or deflated, sizes in front, no ZIP64."
        )
    if not entry.flags & _UTF8 and not entry.name.isascii():
        raise InvalidFile(
            f"The wheel does not mark the name {shown(entry.name)} as UTF-8: readers take it for another."
        )
    if stat.S_IFMT(entry.mode) not in {0, stat.S_IFREG, stat.S_IFDIR if entry.is_folder else 0}:
        raise InvalidFile(f"The wheel's member {shown(entry.name)} is a link, a device, or a folder named like a file.")
    if entry.is_folder and entry.unpacked_bytes:
        raise InvalidFile(f"The wheel's folder {shown(entry.name)} has contents of its own.")


def _check_local_header(file: BinaryIO, entry: _Entry) -> None:
    """Read what stands before a member, which must repeat the directory, and stop where its data begin."""
    file.seek(entry.offset)
    fields = _LOCAL.unpack(_exactly(file, _LOCAL.size))
    signature, _, flags, method, _, _, crc, packed, unpacked, name_length, extra_length = fields
    told = (b"PK\3\4", entry.flags, entry.method, entry.crc, entry.packed_bytes, entry.unpacked_bytes)
    raw_name = _exactly(file, name_length)
    if (signature, flags, method, crc, packed, unpacked) != told or raw_name != entry.raw_name:
        raise InvalidFile(f"The wheel tells two different things of its member {shown(entry.name)}.")
    _check_extra(_exactly(file, extra_length))


def _unpack(file: BinaryIO, entry: _Entry, contents: Contents) -> Iterator[bytes]:
    """A member's bytes, checked against its size and checksum. They are counted, not believed."""
    pieces = pieces_of(file, entry.packed_bytes)
    if entry.method == _DEFLATED:
        pieces = inflate(pieces, wbits=-zlib.MAX_WBITS)
    length = crc = 0
    for piece in contents.measured(pieces):
        length += len(piece)
        crc = zlib.crc32(piece, crc)
        if length > entry.unpacked_bytes:
            break
        yield piece
    if (length, crc) != (entry.unpacked_bytes, entry.crc):
        raise InvalidFile(f"The wheel is damaged: its member {shown(entry.name)} has another size or checksum.")


def _read_small(file: BinaryIO, entry: _Entry, most: int) -> bytes:
    """The contents of a member of the .dist-info folder, at once. most: in bytes."""
    if entry.unpacked_bytes > most:
        name = entry.name.rpartition("/")[2]
        raise InvalidFile(f"The wheel's {name} is too large. The limit is {most} bytes.")
    _check_local_header(file, entry)
    return b"".join(_unpack(file, entry, Contents(archive_bytes=entry.packed_bytes)))


def _find_folder(entries: list[_Entry], filename: Filename, contents: Contents) -> str:
    """The one .dist-info folder, which is that of the filename and has the three files that it must have."""
    folders = {top for entry in entries if (top := entry.name.partition("/")[0]).endswith(".dist-info")}
    if len(folders) != 1:
        raise InvalidFile(f"The wheel must have one .dist-info folder. It has {len(folders)}.")
    folder = folders.pop()
    if not filename.is_spelt(folder.removesuffix(".dist-info")):
        raise InvalidFile(f"The wheel's folder {shown(folder)} does not match the filename {filename.text!a}.")
    for name in ("METADATA", "WHEEL", "RECORD"):
        if not contents.has_file(f"{folder}/{name}"):
            raise InvalidFile(f"The wheel has no {name} in its folder {shown(folder)}.")
    return folder


def _check_extra(extra: bytes) -> None:
    while len(extra) >= _EXTRA.size:
        kind, length = _EXTRA.unpack_from(extra)
        if kind in {_ZIP64, _UNICODE_PATH}:
            raise InvalidFile("The wheel uses ZIP64 or a second name for a member. Use plain ZIP.")
        if _EXTRA.size + length > len(extra):
            raise InvalidFile("The wheel is damaged: the extra fields of a member cannot be read.")
        extra = extra[_EXTRA.size + length :]


def _exactly(file: BinaryIO, count: int) -> bytes:
    return b"".join(pieces_of(file, count))
