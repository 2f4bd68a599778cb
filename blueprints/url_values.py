"""The forms of values in addresses that several blueprints share."""

ROW_ID = "int(max=2147483647)"  # a larger number is no key in any table
MAX_DIGITS = 10


def number(text: str) -> int | None:
    """The row's number that a query says; None for anything that is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < MAX_DIGITS else None
