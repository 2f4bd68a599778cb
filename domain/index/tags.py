"""The compatibility tags of a wheel, in words (PEP 425)."""

import re
from collections.abc import Iterable

MAX_WORDS_LENGTH = 255

_PYTHON = re.compile(r"(py|cp|pp)(\d)(\d*)")
_PYTHONS = {"py": "Python", "cp": "CPython", "pp": "PyPy"}
_PLATFORMS = [
    (re.compile(r"linux_(\w+)"), "Linux"),
    (re.compile(r"manylinux(?:\d+|_\d+_\d+)_(\w+)"), "Linux"),  # PEP 513, 571, 599, 600
    (re.compile(r"musllinux_\d+_\d+_(\w+)"), "Linux with musl"),  # PEP 656
    (re.compile(r"macosx_\d+_\d+_(\w+)"), "macOS"),
    (re.compile(r"win_?(\w+)"), "Windows"),
]
_PROCESSORS = {
    "x86_64": "x86-64",
    "amd64": "x86-64",
    "i686": "x86",
    "32": "x86",
    "aarch64": "ARM64",
    "arm64": "ARM64",
    "universal2": "ARM64 and x86-64",
}


def wheel_in_words(*, python: str, abi: str, platform: str) -> str:
    """Whom a wheel is for: "Wheel for any Python 3", "Wheel for CPython 3.12 on Linux x86-64".

    Each argument is that part of the filename and may name several tags joined by full stops. What is not
    known is shown as it is written. At most 255 characters.
    """
    words = "Wheel for " + _joined(_python_in_words(tag) for tag in python.split("."))
    if abi == "abi3":
        words += " and newer"
    elif abi.startswith("cp") and abi.endswith("t"):
        words += ", free-threaded,"
    if platform != "any":
        words += " on " + _joined(_platform_in_words(tag) for tag in platform.split("."))
    words = words.removesuffix(",")
    return words if len(words) <= MAX_WORDS_LENGTH else words[: MAX_WORDS_LENGTH - 1] + "…"


def _joined(words: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(words))  # manylinux2014 and manylinux_2_17 say the same: once is enough


def _python_in_words(tag: str) -> str:
    match = _PYTHON.fullmatch(tag)
    if not match:
        return tag
    kind, major, minor = match.groups()
    return f"{_PYTHONS[kind]} {major}.{minor}" if minor else f"any {_PYTHONS[kind]} {major}"


def _platform_in_words(tag: str) -> str:
    for pattern, system in _PLATFORMS:
        if match := pattern.fullmatch(tag):
            return f"{system} {_PROCESSORS.get(match[1], match[1])}"
    return tag
