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
from domain.index.upload_rules import UploadRules
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
    platforms: the platform tags of a wheel, lower case; none for an sdist.
    """

    text: str
    kind: FileKind
    project: NormalizedName
    version: Version
    tags: str
    platforms: tuple[str, ...] = ()

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

    Both forms begin with the normalized name in underscores (PEP 427, PEP 625); an sdist must be exactly
    `normalized_name-version.tar.gz`, a wheel may spell its version otherwise. Raises InvalidFile.
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
    """Read a version (PEP 440). Whether a local one ("1.0+team.1") may be uploaded is for `check_local` to say.

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


def check_local(version: str, rules: UploadRules) -> None:
    """Raise InvalidFile at the field `version` if this is no version, or a local one where none may be uploaded."""
    if parse_version(version).local is not None and not rules.takes_local_versions:
        raise InvalidFile(
            f"The use of local versions in {version!a} is not allowed. Take away what begins with the +, or have the"
            " operator set COUNTERSIGN_LOCAL_VERSIONS.",
            field="version",
        )


def check_platforms(filename: Filename, rules: UploadRules) -> None:
    """Raise InvalidFile if a wheel is for a platform that is not taken here."""
    for tag in filename.platforms:
        if not rules.takes_platform(tag):
            raise InvalidFile(
                f"Binary wheel {filename.text!a} has an unsupported platform tag {tag!a}. Repair it with auditwheel or"
                " delocate, or have the operator set COUNTERSIGN_PLATFORM_TAGS."
            )


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
    spelt, right = filename.partition("-")[0], project.replace("-", "_")
    if spelt != right:
        raise InvalidFile(
            f"Filename {filename!a} should contain the normalized project name {right!a}, not {spelt!a}."
            " Build it again with a current tool."
        )
    python, abi, platform = filename.removesuffix(".whl").rsplit("-", 3)[1:]
    return Filename(
        text=filename,
        kind=FileKind.WHEEL,
        project=project,
        version=version,
        tags=wheel_in_words(python=python, abi=abi, platform=platform),
        platforms=tuple(platform.lower().split(".")),
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
