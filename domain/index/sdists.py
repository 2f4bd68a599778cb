"""How an sdist is packed: a strict reading of a gzipped tar.

The headers of a tar can claim any size and lead anywhere. Here each block is read once, in order, and what
an installer would lay down outside the sdist's own folder is refused.
"""

import posixpath
import re
import tarfile
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from domain.index.filenames import Filename, InvalidFile
from domain.index.members import (
    CHUNK_BYTES,
    MAX_METADATA_BYTES,
    Contents,
    check_member_name,
    inflate,
    shown,
)

_GZIP = 31  # zlib's number for it

_BLOCK_BYTES = tarfile.BLOCKSIZE
_END = bytes(_BLOCK_BYTES)
_MAX_EXTENSION_BYTES = 64 * 1024  # of a long name or of attributes that stand before a member

_LONG_NAMES = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}
_EXTENSIONS = {tarfile.XHDTYPE, tarfile.XGLTYPE, *_LONG_NAMES}
_FILES = {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE}
_ATTRIBUTE = re.compile(rb"([0-9]{1,6}) ([^=]+)=")
# Attributes that change how readers see a member. Others (times, owners, a commit's hash) do not.
_RENAMING = {"path", "linkpath", "size"}
_CONFUSING = ("GNU.sparse.", "hdrcharset")


class _Tape:
    """Unpacked bytes, read forward."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._ahead = memoryview(b"")

    def pieces(self, count: int) -> Iterator[memoryview]:
        """The next `count` bytes. Raises InvalidFile if there are fewer."""
        while count:
            self._ahead = self._ahead or memoryview(next(self._pieces, b""))
            if not self._ahead:
                raise InvalidFile("The archive is cut off.")
            piece, self._ahead = self._ahead[:count], self._ahead[count:]
            count -= len(piece)
            yield piece

    def read(self, count: int) -> bytes:
        """The next `count` bytes at once, for what is known to be small."""
        return b"".join(self.pieces(count))

    def read_to_block(self, count: int) -> bytes:
        """The same, and go on to where the next header stands."""
        data = self.read(count)
        self.read(-count % _BLOCK_BYTES)
        return data

    def is_blank(self) -> bool:
        """Whether nothing but zeros is left. Reads to the end."""
        return not any(self._ahead) and not any(piece.strip(b"\0") for piece in self._pieces)


def read_sdist(file: BinaryIO, filename: Filename, contents: Contents) -> tuple[bytes, str]:
    """Check every member of an sdist and return its PKG-INFO and the name of its folder.

    Raises InvalidFile unless this is a sound gzipped tar with all its members in one folder `name-version`
    that holds PKG-INFO (PEP 625, PEP 721).
    """
    packed = iter(lambda: file.read(CHUNK_BYTES), b"")
    tape = _Tape(contents.measured(inflate(packed, wbits=_GZIP)))
    metadata: bytes | None = None
    folders = set()
    while header := _next_member(tape):
        contents.add(header.name, is_folder=header.isdir())
        folder = header.name.partition("/")[0]
        folders.add(folder)
        if len(folders) > 1 or not filename.is_spelt(folder):
            raise InvalidFile(
                f"The sdist must hold one folder, {filename.text.removesuffix('.tar.gz')!a}."
                f" It holds {shown(header.name)}."
            )
        _check_type(header, contents)
        if header.name == f"{folder}/PKG-INFO" and header.type in _FILES:
            if header.size > MAX_METADATA_BYTES:
                raise InvalidFile(f"The sdist's PKG-INFO is too large. The limit is {MAX_METADATA_BYTES} bytes.")
            metadata = tape.read_to_block(header.size)
        else:
            deque(tape.pieces(header.size + -header.size % _BLOCK_BYTES), maxlen=0)
    if not tape.is_blank():
        raise InvalidFile("The sdist holds something after its end.")
    contents.check_tree()
    if metadata is None:
        raise InvalidFile("The sdist has no PKG-INFO in its folder. Build it with a current tool.")
    return metadata, folders.pop()


def _next_member(tape: _Tape) -> tarfile.TarInfo | None:
    """The next member's header with its long names put in, or None at the end."""
    attributes: dict[str, str] = {}
    extensions = set()
    while (block := tape.read(_BLOCK_BYTES)) != _END:
        header = _parse_header(block)
        if header.type not in _EXTENSIONS:
            return _put_in(attributes, header)
        if header.type in extensions or header.size > _MAX_EXTENSION_BYTES:
            raise InvalidFile("The sdist describes one of its members twice, or at too great a length.")
        extensions.add(header.type)
        told = _parse_extension(header.type, tape.read_to_block(header.size))
        if told.keys() & _RENAMING and (header.type == tarfile.XGLTYPE or told.keys() & attributes.keys()):
            raise InvalidFile("The sdist gives one of its members two names or sizes.")
        attributes |= told
    if extensions:
        raise InvalidFile("The archive is cut off.")
    return None


def _parse_header(block: bytes) -> tarfile.TarInfo:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.TarError:
        raise InvalidFile("The sdist is damaged: it is not a tar archive, or a header in it is wrong.") from None
    if header.size < 0:
        raise InvalidFile("The sdist is damaged: it holds a member of negative size.")
    return header


def _parse_extension(kind: bytes, data: bytes) -> dict[str, str]:
    if kind in _LONG_NAMES:
        return {_LONG_NAMES[kind]: data.partition(b"\0")[0].decode("utf-8", "surrogateescape")}
    attributes = {}
    position = 0
    while position < len(data):  # POSIX pax: "length key=value\n", where length counts all of it
        match = _ATTRIBUTE.match(data, position)
        end = position + int(match[1]) if match else 0
        if not match or not match.end() < end <= len(data) or data[end - 1 : end] != b"\n":
            raise InvalidFile("The sdist is damaged: the attributes of a member cannot be read.")
        key = match[2].decode("utf-8", "surrogateescape")
        if key.startswith(_CONFUSING):
            raise InvalidFile("The sdist has a sparse member, or attributes that not every installer reads.")
        attributes[key] = data[match.end() : end - 1].decode("utf-8", "surrogateescape")
        position = end
    return attributes


def _put_in(attributes: dict[str, str], header: tarfile.TarInfo) -> tarfile.TarInfo:
    header.name = attributes.get("path", header.name)
    header.linkname = attributes.get("linkpath", header.linkname)
    if size := attributes.get("size"):
        if not re.fullmatch("[0-9]{1,15}", size):
            raise InvalidFile("The sdist is damaged: the size of a member is no number.")
        header.size = int(size)
    if header.isdir():
        header.name = header.name.removesuffix("/")
    return header


def _check_type(header: tarfile.TarInfo, contents: Contents) -> None:
    if header.type in _FILES:
        return
    if not (header.isdir() or header.issym() or header.islnk()) or header.size:
        raise InvalidFile(
            f"The sdist's member {shown(header.name)} is a device or of an unknown kind."
            " An sdist holds files, folders and links."
        )
    if header.islnk() and not contents.has_file(header.linkname):
        raise InvalidFile(f"The sdist's member {shown(header.name)} is a link to no file of the sdist.")
    if header.issym():
        _check_symlink(header)


def _check_symlink(header: tarfile.TarInfo) -> None:
    """Raise InvalidFile unless a symbolic link stays within the sdist's folder.

    It may go up only at its beginning: after a name, which may itself be a link, `..` can lead anywhere.
    Members never lie beneath links, so what it goes up from is a true folder.
    """
    folder = posixpath.dirname(header.name)
    target = [part for part in header.linkname.split("/") if part not in {"", "."}]
    while target[:1] == [".."]:
        folder = posixpath.dirname(folder)
        del target[0]
    if not folder or header.linkname.startswith("/"):
        raise InvalidFile(f"The sdist's link {shown(header.name)} leads out of its folder.")
    if target:
        check_member_name("/".join(target))
