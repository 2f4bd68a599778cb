"""Names that people give to their own things: one line, nothing invisible in it."""

import unicodedata

from domain.problems import Problem


def clean_label(typed: str, *, most: int, field: str) -> str:
    """The name as it is kept, blanks folded. May be empty.

    most: the number of characters that it may have.
    field: the form's field, for the refusal. Raises Problem if it is too long or cannot be shown.
    """
    too_long = Problem(f"Use at most {most} characters.", field=field)
    if len(typed) > 4 * most:  # normalising a long text can take minutes (CVE-2026-3276)
        raise too_long
    label = " ".join(unicodedata.normalize("NFC", typed).split())
    if len(label) > most:
        raise too_long
    if not label.isprintable():
        raise Problem("Leave out control characters and other invisible ones.", field=field)
    return label
