"""What becomes a file for spreadsheets comes back as it was, and nothing in it is calculated with."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.spreadsheet import csv_answer, defused

TEXT = st.text(st.characters(exclude_categories=["Cs"]))  # no database keeps half of a character
SHARP = st.text(st.sampled_from("=+-@＝＋－＠ \t\r\n\xa0\u200b\ufeff\0\"',;|a1")) | TEXT


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tword",
        "  =1",
        "\xa0=1",
        "\u200b=1",
        "\ufeff=1",
        "\0=1",
        "＝1",
        "=",
        "-",
    ],
)
def test_what_could_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert defused(text) == "'" + text


@pytest.mark.parametrize(
    "text", ["", " ", "ana", "1-1", "a=b", "'=1", "“ci”", "203.0.113.7", "::1", "2026-11-22T14:05:00Z"]
)
def test_other_words_stay_as_they_are(text: str) -> None:
    assert defused(text) == text


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("x;=1+1", "x;'=1+1"),
        ("x;\xa0@A1;-2", "x;'\xa0@A1;'-2"),
        ("x\t=1", "x\t'=1"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n=1", "'\n'=1"),
        (";=1", ";'=1"),
        ("X11; Linux x86_64; rv:140.0", "X11; Linux x86_64; rv:140.0"),
        ("a; b=c", "a; b=c"),
    ],
)
def test_a_formula_after_what_divides_cells_elsewhere_gets_an_apostrophe(text: str, cell: str) -> None:
    """Where a semicolon divides the cells of a list, the commas and quotes of ours do not hold a cell together."""
    assert defused(text) == cell


@given(st.lists(st.lists(SHARP, min_size=3, max_size=3)))
def test_every_cell_comes_back_whole_and_begins_with_no_sign_of_a_formula(rows: list[list[str]]) -> None:
    answer = csv_answer("some.csv", ["a", "b", "c"], rows)

    head, *read = list(csv.reader(io.StringIO(answer.get_data(as_text=True), newline="")))

    assert head == ["a", "b", "c"]
    assert [[cell.replace("'", "") for cell in row] for row in read] == [
        [cell.replace("'", "") for cell in row] for row in rows
    ]
    for cell in (cell for row in read for cell in row):
        assert not cell.lstrip().startswith(("=", "+", "-", "@"))
        assert not cell.startswith(("\t", "\r", "\n"))
        assert not any(part.lstrip().startswith(("=", "+", "-", "@")) for part in cell.split(";"))
