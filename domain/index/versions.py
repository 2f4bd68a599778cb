"""Versions as bytes that sort as PEP 440 has it, so that the database can put releases in order."""

from packaging.version import Version

_LOWEST, _HIGHEST, _END = b"\x00", b"\xff", b"\x00"
_PRE = {"a": b"\x01", "b": b"\x02", "rc": b"\x03"}
_WORD, _NUMBER = b"\x01", b"\x02"


def version_key(version: Version) -> bytes:
    """Bytes of two versions compare as the versions do; equal versions (1.0 and 1.0.0) have equal ones.

    The rules of order are PEP 440's (§ "Summary of permitted suffixes and relative ordering"): a pre-release comes
    before, a post-release after its version; a development release before all; a local version after its public one,
    its numbers after its words.
    """
    release = list(version.release)
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    parts = [_number(version.epoch), *map(_number, release), _END, _pre(version)]
    parts.append(_LOWEST if version.post is None else _number(version.post))
    parts.append(_HIGHEST if version.dev is None else _number(version.dev))
    parts.extend(_local(part) for part in (version.local or "").split(".") if part)
    return b"".join([*parts, _END])


def _pre(version: Version) -> bytes:
    if version.pre is not None:
        letter, number = version.pre
        return _PRE[letter] + _number(number)
    return _LOWEST if version.post is None and version.dev is not None else _HIGHEST


def _local(part: str) -> bytes:
    return _NUMBER + _number(int(part)) if part.isdecimal() else _WORD + part.encode() + _END


def _number(number: int) -> bytes:
    """Its length first: a longer number is a greater one. Never begins with a zero byte, which ends a list."""
    digits = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes([len(digits) + 1]) + digits
