"""What a wheel tells installers besides its metadata: WHEEL and entry_points.txt."""

import configparser
import re
from email import message_from_bytes

from domain.index.filenames import InvalidFile
from domain.index.members import shown

MAX_BYTES = 256 * 1024  # of either
_VERSION = re.compile(r"([0-9]{1,6})\.[0-9]{1,6}")
_KNOWN_MAJOR = 1  # installers refuse a wheel of a later one (PEP 427)
_SCRIPTS = ("console_scripts", "gui_scripts")  # become files, named as the entry point is
_SCRIPT_NAME = re.compile(r"[\w.-]+")
_REFERENCE = re.compile(r"\w+(\.\w+)*\s*:\s*\w+(\.\w+)*\s*(\[[^\]]*\])?")


def check_wheel_file(content: bytes) -> None:
    """Raise InvalidFile unless installers take this WHEEL: it says a Wheel-Version that they know."""
    version = _VERSION.fullmatch(str(message_from_bytes(content).get("Wheel-Version", "")).strip())
    if version is None:
        raise InvalidFile("The wheel's WHEEL does not say its Wheel-Version. Build it again with a current tool.")
    if int(version[1]) != _KNOWN_MAJOR:
        raise InvalidFile(f"The wheel says Wheel-Version {version[0]}. Installers know {_KNOWN_MAJOR}.0.")


def check_entry_points(content: bytes) -> None:
    """Raise InvalidFile unless this entry_points.txt can be read, and its scripts have names that are none of paths
    and objects to call. Names of other groups may hold almost anything (entry points specification)."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their capitals
    try:
        parser.read_string(content.decode("utf-8-sig"))
    except (configparser.Error, UnicodeDecodeError):
        raise InvalidFile("The wheel's entry_points.txt cannot be read: it is no INI file in UTF-8.") from None
    for group in _SCRIPTS:
        for name, reference in parser.items(group) if parser.has_section(group) else ():
            if not _SCRIPT_NAME.fullmatch(name) or set(name) <= {"."}:
                raise InvalidFile(
                    f"The wheel's script {shown(name)} cannot be called so. Use letters, digits, and . _ or -"
                )
            if not _REFERENCE.fullmatch(reference or ""):
                raise InvalidFile(
                    f"The wheel's script {shown(name)} names no object to call. Write it as package.module:function."
                )
