"""Makes archives that are built with care to be read as two things, or to do harm: strategies for hypothesis."""

import gzip
import hashlib
import stat
import struct
import tarfile
import zlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Literal

from hypothesis import strategies as st

from domain.index import members
from tests.packages import a_metadata

WHEEL_NAME = "acme_utils-1.0-py3-none-any.whl"
SDIST_NAME = "acme_utils-1.0.tar.gz"
FOLDER = "acme_utils-1.0"
INFO = f"{FOLDER}.dist-info"
_BOMB = zlib.compress(bytes(members.HARMLESS_BYTES + 1), 9, wbits=-15)

# What readers that know ZIP64 look for before a ZIP's end: here it says that the ZIP is empty.
_OTHER_END = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 0, 0, 0, 0)
_OTHER_END += struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)

# The fields of a ZIP's two headers and of its end, with their widths in bytes (APPNOTE 4.3.7, 4.3.12, 4.3.16).
LOCAL = {"signature": 4, "needed": 2, "flags": 2, "method": 2, "time": 2, "date": 2, "crc": 4, "packed": 4}
LOCAL |= {"unpacked": 4, "name_length": 2, "extra_length": 2}
CENTRAL = {"signature": 4, "made": 2} | LOCAL | {"comment_length": 2, "disk": 2, "inner": 2, "outer": 4, "offset": 4}
END = {"signature": 4, "disk": 2, "first_disk": 2, "count": 2, "total": 2, "length": 4, "start": 4, "comment_length": 2}
# Those of a tar's header: where they stand, and their width (POSIX ustar).
TAR = {"name": (0, 100), "mode": (100, 8), "size": (124, 12), "checksum": (148, 8), "kind": (156, 1)}
TAR |= {"link": (157, 100), "magic": (257, 8), "device": (329, 8), "prefix": (345, 155)}

NAMES = st.sampled_from(
    [
        *(b"../evil", b"/etc/passwd", b"C:/evil", b"a\\b", b"a//b", b"a/./b", b"", b".", b"a\0b", b"\xff", b"a" * 600),
        *(b"ACME_UTILS/__INIT__.PY", b"acme_utils", b"acme_utils/__init__.py", b"acme_utils/__init__.py/x", b"other/x"),
        *("caf\u00e9".encode(), "cafe\u0301".encode(), f"{INFO}/METADATA".encode(), b"acme_utils/x/", b"a\nb", b"a "),
    ]
)
NUMBERS = st.sampled_from([0, 1, 2, 8, 20, 45, 46, 63, 99, 0xFF, 0x800, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF])
SMALL = st.integers(-3, 3)
EXTRAS = st.sampled_from(
    [
        *(struct.pack("<2H2Q", 1, 16, 5, 5), struct.pack("<2HBL", 0x7075, 5, 1, 0), struct.pack("<2H", 0xCAFE, 0)),
        *(b"\1", struct.pack("<2H", 0x5455, 900) + b"x", struct.pack("<2HBL", 0x5455, 5, 1, 0), bytes(65000)),
        *(struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1), struct.pack("<2H4sLQL", 0xCAFE, 20, b"PK\6\7", 0, 0, 1)),
    ]
)
JUNK = st.binary(max_size=40) | EXTRAS


@dataclass
class Member:
    """A member of a ZIP. local, central: what its headers say in place of the truth. packed: its data as they stand."""

    name: bytes
    data: bytes
    local: dict[str, int] = field(default_factory=dict)
    central: dict[str, int] = field(default_factory=dict)
    local_name: bytes | None = None
    local_extra: bytes = b""
    central_extra: bytes = b""
    comment: bytes = b""
    before: bytes = b""
    packed: bytes | None = None
    is_stored: bool = False
    is_hidden: bool = False

    def truth(self) -> dict[str, int]:
        told = {"needed": 20, "flags": 0 if self.name.isascii() else 0x800, "method": 0 if self.is_stored else 8}
        told |= {"crc": zlib.crc32(self.data), "packed": len(self.packing()), "unpacked": len(self.data)}
        return told | {"date": 0x5B76, "outer": (stat.S_IFREG | 0o644) << 16, "made": 0x314}

    def packing(self) -> bytes:
        if self.packed is None:
            return self.data if self.is_stored else zlib.compress(self.data, wbits=-15)
        return self.packed

    def at_its_place(self) -> bytes:
        name = self.name if self.local_name is None else self.local_name
        told = {"signature": 0x04034B50, "name_length": len(name), "extra_length": len(self.local_extra)}
        return laid_out(LOCAL, self.truth() | told | self.local) + name + self.local_extra + self.packing()

    def in_the_directory(self, offset: int) -> bytes:
        told = {"signature": 0x02014B50, "name_length": len(self.name), "extra_length": len(self.central_extra)}
        told |= {"comment_length": len(self.comment), "offset": offset}
        header = laid_out(CENTRAL, self.truth() | told | self.central)
        return header + self.name + self.central_extra + self.comment


def laid_out(layout: dict[str, int], told: dict[str, int]) -> bytes:
    """Numbers side by side, each cut to its width."""
    return b"".join((told.get(name, 0) % 256**width).to_bytes(width, "little") for name, width in layout.items())


def zipped(parts: list[Member], *, end: dict[str, int], gap: bytes = b"") -> bytes:
    """A ZIP of these members. end: what its end says in place of the truth. gap: stands before the end."""
    content, directory = b"", b""
    for part in parts:
        content += part.before
        if not part.is_hidden:
            directory += part.in_the_directory(len(content))
        content += part.at_its_place()
    count = sum(not part.is_hidden for part in parts)
    told = {"signature": 0x06054B50, "count": count, "total": count, "length": len(directory), "start": len(content)}
    return content + directory + gap + laid_out(END, told | end)


def with_record(parts: list[Member]) -> list[Member]:
    """The members and a RECORD that is true of them, so that it is not what they are refused for."""
    lines = [
        f"{part.name.decode('utf-8', 'replace')},sha256={_digest(part.data)},{len(part.data)}"
        for part in parts
        if not part.name.endswith(b"/")
    ]
    record = "\n".join([*dict.fromkeys(lines), f"{INFO}/RECORD,,", ""])
    return [*parts, Member(f"{INFO}/RECORD".encode(), record.encode("utf-8", "replace"))]


def _digest(data: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@st.composite
def wheels(draw: st.DrawFn) -> bytes:
    """Wheels with up to three tricks in them, and at times damaged on top."""
    parts = [
        Member(b"acme_utils/__init__.py", b"x = 1\n" * draw(st.integers(0, 40)), is_stored=draw(st.booleans())),
        Member(f"{INFO}/METADATA".encode(), a_metadata()),
        Member(f"{INFO}/WHEEL".encode(), b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
    ]
    if draw(st.booleans()):
        parts.insert(
            draw(st.integers(0, 3)), Member(draw(NAMES | st.just("caf\u00e9".encode())), draw(st.binary(max_size=20)))
        )
    parts = with_record(parts)
    end: dict[str, int] = {}
    tricks = draw(st.lists(st.sampled_from(_ZIP_TRICKS), max_size=3))
    for trick in tricks:
        _trick_a_zip(draw, trick, parts, end)
    content = zipped(parts, end=end, gap=draw(EXTRAS) if "gap" in tricks else b"")
    return _damaged(draw, content)


_ZIP_TRICKS = [
    *("local", "central", "both", "end", "name", "bytes", "twin", "hidden", "bomb", "order", "gap"),
    *["unmarked", "zip64"] * 3,  # sound in all else, so that they show what is overlooked
]


def _trick_a_zip(draw: st.DrawFn, trick: str, parts: list[Member], end: dict[str, int]) -> None:
    part = draw(st.sampled_from(parts))
    match trick:
        case "local":
            part.local[draw(st.sampled_from([*LOCAL]))] = draw(NUMBERS)
        case "central":
            part.central[draw(st.sampled_from([*CENTRAL]))] = draw(NUMBERS)
        case "both":
            key = draw(st.sampled_from(["flags", "method", "crc", "packed", "unpacked"]))
            part.local[key] = part.central[key] = draw(NUMBERS | SMALL.map(lambda by: part.truth()[key] + by))
        case "end":
            end[draw(st.sampled_from([*END]))] = draw(NUMBERS)
        case "name":
            part.local_name = draw(NAMES)
        case "bytes":
            place = draw(st.sampled_from(["local_extra", "central_extra", "comment", "before", "packed"]))
            setattr(part, place, draw(JUNK))
        case "twin":
            parts.append(Member(part.name, draw(st.just(part.data) | st.binary(max_size=20))))
        case "hidden":
            parts.insert(draw(st.integers(0, len(parts))), Member(draw(NAMES), b"hidden", is_hidden=True))
        case "bomb":
            part.packed = _BOMB
            part.local["unpacked"] = part.central["unpacked"] = draw(st.sampled_from([10, members.HARMLESS_BYTES + 1]))
        case "order":
            parts.reverse()
        case "unmarked":
            for other in parts:
                other.local["flags"] = other.central["flags"] = 0
        case "zip64":
            parts[-1].central_extra = struct.pack("<2H", 0xCAFE, len(_OTHER_END)) + _OTHER_END


_FORMS: list[Literal[1, 2]] = [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


@st.composite
def sdists(draw: st.DrawFn) -> bytes:
    """Sdists with up to three tricks in their headers, and at times damaged on top."""
    blocks = [
        tar_member(f"{FOLDER}/PKG-INFO", a_metadata()),
        tar_member(f"{FOLDER}/acme_utils/__init__.py", b"x = 1\n" * draw(st.integers(0, 40))),
        tar_member(f"{FOLDER}/{'a' * 120}", b"", form=draw(st.sampled_from(_FORMS))),
    ]
    for _ in range(draw(st.integers(0, 3))):
        _trick_a_tar(draw, blocks)
    content = b"".join(blocks) + bytes(draw(st.sampled_from([1024, 1024, 10240, 512, 0])))
    content = _damaged(draw, content)
    packed = gzip.compress(content, compresslevel=1 if len(content) > members.HARMLESS_BYTES else 9, mtime=0)
    match draw(st.sampled_from([*["plain"] * 8, "twice", "tail", "damaged"])):
        case "twice":
            return packed + gzip.compress(b"".join(blocks), mtime=0)
        case "tail":
            return packed + draw(JUNK)
        case "damaged":
            return _damaged(draw, packed)
    return packed


def tar_member(name: str, data: bytes = b"", *, kind: bytes = tarfile.REGTYPE, form: Literal[1, 2] = 2) -> bytes:
    """The blocks of one member."""
    header = tarfile.TarInfo(name)
    header.type, header.size = kind, len(data)
    return header.tobuf(form) + data + bytes(-len(data) % 512)


def _trick_a_tar(draw: st.DrawFn, blocks: list[bytes]) -> None:
    place = draw(st.integers(0, len(blocks) - 1))
    match draw(st.sampled_from(["field", "field", "field", "pax", "long", "link", "member", "twin"] * 3 + ["bomb"])):
        case "field":
            blocks[place] = _with_field(draw, blocks[place])
        case "pax":
            kind = draw(st.sampled_from([tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE]))
            blocks.insert(place, tar_member("pax", b"".join(draw(st.lists(_ATTRIBUTES, max_size=3))), kind=kind))
        case "long":
            kind = draw(st.sampled_from([tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK]))
            blocks.insert(place, tar_member("././@LongLink", draw(_TAR_NAMES) + b"\0", kind=kind))
        case "link":
            header = tarfile.TarInfo(f"{FOLDER}/link")
            header.type = draw(st.sampled_from([tarfile.SYMTYPE, tarfile.LNKTYPE]))
            header.linkname = draw(_TAR_NAMES).decode("utf-8", "surrogateescape")
            blocks.insert(place, header.tobuf(tarfile.GNU_FORMAT))
        case "member":
            kind = draw(st.sampled_from([bytes([sign]) for sign in b"\x0001234567SDMV"]))
            name = draw(_TAR_NAMES).decode("utf-8", "replace")
            blocks.insert(place, tar_member(name, draw(st.binary(max_size=20)), kind=kind, form=tarfile.GNU_FORMAT))
        case "twin":
            blocks.append(blocks[place])
        case "bomb":
            blocks.append(tar_member(f"{FOLDER}/bomb", bytes(members.HARMLESS_BYTES)))


_TAR_NAMES = NAMES | NAMES.map(lambda name: f"{FOLDER}/".encode() + name) | st.just(f"{FOLDER}/PKG-INFO".encode())


def attribute(key: bytes, value: bytes) -> bytes:
    """One line of a pax header: "length key=value", where the length counts itself."""
    length = len(key) + len(value) + 3
    length += len(str(length + len(str(length))))
    return b"%d %s=%s\n" % (length, key, value)


_ATTRIBUTES = st.builds(
    attribute,
    st.sampled_from([b"path", b"linkpath", b"size", b"mtime", b"GNU.sparse.map", b"GNU.sparse.name", b"hdrcharset"]),
    _TAR_NAMES | st.sampled_from([b"0", b"1", b"-1", b"512", b"9" * 30, b"1e9", b"BINARY", b"x" * 70_000]),
) | st.sampled_from([b"9 path=x", b"99 path=x\n", b"0 a=b\n", b"path=x\n", b"\n", b"5 =x\n"])


def _with_field(draw: st.DrawFn, block: bytes) -> bytes:
    """A member with another field in its header, and a checksum that is true in most cases."""
    key = draw(st.sampled_from([*TAR]))
    start, width = TAR[key]
    values = [b"", b"\xff" * width, b"7" * width, b"0", b"\x80" + bytes(width - 1), b"-1", b" 12 ", b"ustar  \0"]
    value = draw(st.sampled_from(values) | NAMES | st.sampled_from([b"%o" % (1 << by) for by in (3, 9, 12, 31, 32)]))
    changed = bytearray(block)
    changed[start : start + width] = value[:width].ljust(width, b"\0")
    if key != "checksum":
        changed[148:156] = b" " * 8
        changed[148:156] = b"%06o\0 " % sum(changed[:512])
    return bytes(changed)


def _damaged(draw: st.DrawFn, content: bytes) -> bytes:
    places = st.integers(0, len(content))
    match draw(st.sampled_from([*["whole"] * 8, "cut", "spliced", "changed"])):
        case "cut":
            return content[: draw(places)]
        case "spliced":
            start, end, to = draw(places), draw(places), draw(places)
            return content[:to] + content[min(start, end) : max(start, end)] + content[to:]
        case "changed":
            changed = bytearray(content)
            for place in draw(st.lists(places, max_size=4)):
                changed[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
            return bytes(changed)
    return content
