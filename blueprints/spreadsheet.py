"""Tables for spreadsheet programs: CSV in which nothing that a person typed becomes a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from flask import Response

# Spreadsheets take a cell for a formula that begins so, some of them also after blanks or in full width (OWASP, "CSV
# Injection"); a break at the start can end the cell that it stands in.
FORMULA_SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
BREAKS = ("\t", "\r", "\n")
# Where a semicolon or a tab divides the cells, a file that commas divide is cut inside of them, quotes or not.
_CUT = re.compile(rf"([;\t\r\n])(?=[^\w;]*?[{re.escape(''.join(FORMULA_SIGNS))}])")


def defused(text: str) -> str:
    """The text, with an apostrophe before whatever a spreadsheet would calculate with."""
    text = _CUT.sub(r"\1'", text)
    if text.startswith(BREAKS) or _visible(text).startswith(FORMULA_SIGNS):
        return f"'{text}"
    return text


def csv_answer(filename: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    """A CSV file to save (RFC 4180, UTF-8), every cell in quotes and defused."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=csv.QUOTE_ALL)
    writer.writerow(head)
    writer.writerows([defused(cell) for cell in row] for row in rows)
    answer = Response(written.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _visible(text: str) -> str:
    """The text from its first character that leaves ink: blanks and marks that nobody sees do not count."""
    for place, char in enumerate(text):
        if char.isprintable() and not char.isspace():
            return text[place:]
    return ""
