"""The compatibility tags of a wheel (PEP 425): what they mean in words, and which platforms are usual."""

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

_LINUX = "x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x|riscv64"
_MAC = "x86_64|arm64|universal2|universal|intel|fat|fat3|fat64|i386|ppc|ppc64"
# What PyPI takes. A plain linux_x86_64 is not among them: nothing says on which systems such a wheel works.
_USUAL_PLATFORM = re.compile(
    "|".join(
        [
            "any",
            "win32|win_amd64|win_arm64",
            "linux_armv6l|linux_armv7l",
            "manylinux(?:1|2010)_(?:x86_64|i686)",  # PEP 513, 571
            "manylinux2014_(?:x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x)",  # PEP 599
            rf"manylinux_\d+_\d+_(?:{_LINUX})",  # PEP 600
            rf"musllinux_\d+_\d+_(?:{_LINUX}|armv6l)",  # PEP 656
            rf"macosx_10_\d+_(?:{_MAC})",
            rf"macosx_(?:1[1-5]|2[6-9])_0_(?:{_MAC})",  # wheels name the major version alone since macOS 11
            r"ios_\d+_\d+_(?:arm64_iphoneos|arm64_iphonesimulator|x86_64_iphonesimulator)",  # PEP 730
            r"android_\d+_(?:armeabi_v7a|arm64_v8a|x86|x86_64)",  # PEP 738
            r"pyemscripten_\d+_\d+_wasm32",  # PEP 783
        ]
    )
)


def is_usual_platform(tag: str) -> bool:
    """Whether PyPI takes wheels for this platform, which every installer knows."""
    return bool(_USUAL_PLATFORM.fullmatch(tag))


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
