"""Codes as people type them, folded to one spelling before anything is compared or kept."""

import unicodedata

from domain.problems import Problem

# A hundred times what any code needs. Longer text is not folded at all: normalising 400,000 combining marks
# took two minutes of CPU (CVE-2026-3276).
MAX_TYPED_CHARACTERS = 1_000


class MalformedCode(Problem):
    """What was typed cannot be a code of this kind at all; that says nothing about the account."""


def fold(typed: str) -> str:
    """The typed text with full-width forms made plain (NFKC) and without blanks, hyphens and invisible marks.

    Two spellings of one code must become the same text here, or the second would pass a guard against replay.
    Text over 1,000 characters becomes empty.
    """
    if len(typed) > MAX_TYPED_CHARACTERS:
        return ""
    return "".join(char for char in unicodedata.normalize("NFKC", typed) if not _is_filler(char))


def _is_filler(char: str) -> bool:
    # Pd: hyphens and dashes; Cf: marks that come along unseen when a code is copied.
    return char.isspace() or unicodedata.category(char) in ("Pd", "Cf")
