"""Whether an uploaded file is the archive that its name says, and the metadata inside it."""

import tarfile
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import BinaryIO

from domain.index.filenames import FileKind, Filename, InvalidFile
from domain.index.members import Contents
from domain.index.sdists import read_sdist
from domain.index.wheels import read_wheel

_ZIP_END = b"PK\5\6"
_ZIP_END_LENGTHS = Struct("<12x2L")  # of the directory, and where it starts
_ZIP_TAIL_BYTES = 22 + 0xFFFF  # the end of a ZIP and the longest comment that may follow it


@dataclass(frozen=True)
class Archive:
    """What was found in an archive. metadata: the bytes of its METADATA or PKG-INFO. licences: the folder that its
    licence files lie in (PEP 639)."""

    metadata: bytes
    licences: str
    contents: Contents


def inspect(path: Path, filename: Filename) -> Archive:
    """Check an archive from its first byte to its last.

    Memory stays small whatever the archive claims; nothing is written. Raises InvalidFile, and OSError where
    the disk fails, but nothing else.
    """
    contents = Contents(archive_bytes=path.stat().st_size)
    with path.open("rb") as file:
        if filename.kind is FileKind.WHEEL:
            _refuse_tar(file)
            metadata, folder = read_wheel(file, filename, contents)
            return Archive(metadata, f"{folder}/licenses", contents)
        _refuse_zip(file)
        metadata, folder = read_sdist(file, filename, contents)
        return Archive(metadata, folder, contents)


def _refuse_tar(file: BinaryIO) -> None:
    """A file that is two archives at once is read as one by us and as the other by somebody else."""
    try:
        tarfile.TarInfo.frombuf(file.read(tarfile.BLOCKSIZE), "utf-8", "surrogateescape")
    except tarfile.TarError:
        return
    raise InvalidFile("The file is a tar archive, not a wheel.")


def _refuse_zip(file: BinaryIO) -> None:
    length = file.seek(0, 2)
    start = file.seek(max(0, length - _ZIP_TAIL_BYTES))
    tail = file.read()
    end = tail.rfind(_ZIP_END)
    while end != -1:
        # Chance puts these four bytes into compressed data at times, but no directory to where they point.
        if len(tail) - end >= _ZIP_END_LENGTHS.size:
            directory_length, directory_start = _ZIP_END_LENGTHS.unpack_from(tail, end)
            for place in (directory_start, start + end - directory_length):
                if _has_directory(file, place):
                    raise InvalidFile("The file is a ZIP archive, not an sdist. An sdist is a gzipped tar.")
        end = tail.rfind(_ZIP_END, 0, end)
    file.seek(0)


def _has_directory(file: BinaryIO, place: int) -> bool:
    if place < 0:
        return False
    file.seek(place)
    return file.read(4) == b"PK\1\2"
