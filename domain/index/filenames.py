"""What the name of a wheel or sdist says, and whether it says it rightly."""

import re
from dataclasses import dataclass
from enum import Enum

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from domain.index.names import normalize
from domain.index.tags import wheel_in_words
from domain.problems import Problem

MAX_FILENAME_LENGTH = 255  # bytes, on the file systems that files are downloaded to
MAX_VERSION_LENGTH = 64

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ALLOWED = re.compile(r"[A-Za-z0-9._+!-]+")


class FileKind(Enum):
    """The two forms in which a release is distributed. Values: what uploaders call them (`filetype`)."""

    SDIST = "sdist"
    WHEEL = "bdist_wheel"


class InvalidFile(Problem):
    """A file that cannot be published, in words for the person who built it."""

    def __init__(self, message: str, *, field: str = "content", code: str = "invalid_file") -> None:
        super().__init__(message, field=field, code=code)


@dataclass(frozen=True)
class Filename:
    """A checked filename.

    tags: those of a wheel, in words ("Wheel for CPython 3.12 on Linux x86-64"); "Source" for an sdist.
    """

    text: str
    kind: FileKind
    project: NormalizedName
    version: Version
    tags: str

    def is_spelt(self, stem: str) -> bool:
        """Whether "name-version", in any spelling, means this file's project and version.

        The folder in an archive may be spelt otherwise than its file: "My.Pkg-1.0" in "my_pkg-1.0.tar.gz".
        """
        name, _, version = stem.rpartition("-")
        try:
            return canonicalize_name(name) == self.project and Version(version) == self.version
        except ValueError:  # InvalidVersion is one; so is a number of more digits than Python reads
            return False


def parse_filename(filename: str, *, name: str, version: str) -> Filename:
    """Read a filename, which must be that of the claimed project and version.

    A wheel may spell its name in any way that means the project (setuptools 68 keeps capitals and full stops,
    as PEP 427 allows); an sdist must be exactly `normalized_name-version.tar.gz` (PEP 625). Every platform is
    accepted: a private index is where wheels for plain `linux_x86_64` belong. Raises InvalidFile.
    """
    _check_characters(filename)
    claimed = parse_version(version)
    if filename.endswith(".whl"):
        found = _parse_wheel(filename)
    elif filename.endswith((".tar.gz", ".zip")):
        found = _parse_sdist(filename)
    else:
        raise InvalidFile(f"The file {filename!a} is neither a wheel (.whl) nor an sdist (.tar.gz).")
    if found.project != normalize(name):
        raise InvalidFile(f"The file {filename!a} belongs to project {found.project!a}, not {name[:100]!a}.")
    if found.version != claimed:
        raise InvalidFile(f"The file {filename!a} has version {found.version}, not {claimed}.")
    return found


def parse_version(text: str) -> Version:
    """Read a version (PEP 440). Local versions ("1.0+team.1") are at home on a private index.

    Raises InvalidFile at the field `version`.
    """
    if len(text) > MAX_VERSION_LENGTH:
        raise InvalidFile(
            f"The version has {len(text)} characters. The limit is {MAX_VERSION_LENGTH}.", field="version"
        )
    try:
        return Version(text)
    except InvalidVersion:
        raise InvalidFile(
            f"The version {text!a} is not valid. Write it as in 1.0.2 or 2.0rc1 (PEP 440).", field="version"
        ) from None


def _check_characters(filename: str) -> None:
    if not filename:
        raise InvalidFile("The file has no name.")
    if len(filename) > MAX_FILENAME_LENGTH:
        raise InvalidFile(f"The filename has {len(filename)} characters. The limit is {MAX_FILENAME_LENGTH}.")
    if _UNPRINTABLE.search(filename):
        raise InvalidFile(f"The filename {filename!a} has characters that cannot be printed.")
    if "/" in filename or "\\" in filename:
        raise InvalidFile(f"The filename {filename!a} has a slash or backslash. Send a name without a path.")
    if not _ALLOWED.fullmatch(filename):
        raise InvalidFile(f"The filename {filename!a} has characters other than ASCII letters, digits and . _ + ! -")


def _parse_wheel(filename: str) -> Filename:
    try:
        project, version, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        raise InvalidFile(
            f"The filename {filename!a} is not that of a wheel."
            " It should be name-version-python-abi-platform.whl (PEP 427)."
        ) from None
    python, abi, platform = filename.removesuffix(".whl").rsplit("-", 3)[1:]
    return Filename(
        text=filename,
        kind=FileKind.WHEEL,
        project=project,
        version=version,
        tags=wheel_in_words(python=python, abi=abi, platform=platform),
    )


def _parse_sdist(filename: str) -> Filename:
    try:
        project, version = parse_sdist_filename(filename)
    except InvalidSdistFilename:
        raise InvalidFile(
            f"The filename {filename!a} is not that of an sdist. It should be name-version.tar.gz (PEP 625)."
        ) from None
    right = f"{project.replace('-', '_')}-{version}.tar.gz"
    if filename != right:
        raise InvalidFile(
            f"The filename {filename!a} should be {right!a} (PEP 625)."
            " Build it again with a current tool; setuptools 69.3 or newer names it so."
        )
    return Filename(
        text=filename,
        kind=FileKind.SDIST,
        project=project,
        version=version,
        tags="Source",
    )
