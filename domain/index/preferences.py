"""What a client would rather have: the lists of Accept and Accept-Encoding, with their weights."""

import re
from collections.abc import Sequence

MOST = 50  # entries that are read; clients send a handful
_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")  # RFC 9110 §12.4.2

Wish = tuple[str, float]


def wishes(header: str) -> list[Wish]:
    """Each entry in lower case with its weight from 0 to 1. Never raises: what cannot be read counts as absent."""
    return [wish for part in header.split(",")[:MOST] if (wish := _wish(part)) is not None]


def weight(names: Sequence[str], wished: Sequence[Wish]) -> float | None:
    """How welcome something is that goes by these names, the most exact one first; None where none of them is named."""
    for name in names:
        found = [quality for named, quality in wished if named == name]
        if found:
            return max(found)
    return None


def _wish(part: str) -> Wish | None:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            if _WEIGHT.fullmatch(value.strip()) is None:
                return None
            quality = float(value)
    return (name, quality) if name else None
