"""Every requirement has a test that names it, or a reason why it has none; and the table tells the truth."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.requirements import ASKED, DOES_NOT_APPLY

ROOT = Path(__file__).parents[1]


def marks_in(path: Path) -> Iterator[tuple[str, str]]:
    """The numbers that a file names, each with the function that stands under the mark, "" where none does."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    decorated = {
        id(mark): node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for mark in node.decorator_list
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "requirement":
            yield from ((ast.literal_eval(number), decorated.get(id(node), "")) for number in node.args)


def all_marks() -> list[tuple[str, str]]:
    return [mark for path in sorted((ROOT / "tests").rglob("*.py")) for mark in marks_in(path)]


def run_table(folder: Path, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a file of tests of its own with the plugin."""
    (folder / "test_it.py").write_text(f"from tests.requirements import requirement\n{source}", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.requirement_table", "-m", "requirement", "--quiet"]
    command += ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), *options, str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def lines_of(table: str, number: str) -> list[str]:
    """What the table says of a requirement."""
    found = re.search(rf"^{number} .*\n(?: .*\n)*", table, re.MULTILINE)
    assert found, table
    return [" ".join(line.split()) for line in found[0].splitlines()]


def test_the_numbers_run_from_1_to_106() -> None:
    assert list(ASKED) == [f"R{number:02}" for number in range(1, 107)]
    assert set(DOES_NOT_APPLY) <= set(ASKED)


def test_every_requirement_is_named_by_a_test_or_says_why_not() -> None:
    named = {number for number, _ in all_marks()}

    assert set(ASKED) - named - set(DOES_NOT_APPLY) == set()
    assert named & set(DOES_NOT_APPLY) == set()
    assert named - set(ASKED) == set()


def test_a_mark_stands_on_a_test() -> None:
    astray = {f"{number} on {name or 'nothing'}" for number, name in all_marks() if not name.startswith("test_")}

    assert astray == set()


@pytest.mark.parametrize("processes", ["0", "2"])
def test_the_table_says_how_the_tests_of_each_requirement_went(tmp_path: Path, processes: str) -> None:
    source = (
        "import pytest\n"
        "@requirement('R01')\n"
        "@pytest.mark.parametrize('case', [1, 2])\ndef test_good(case): pass\n"
        "@requirement('R01', 'R02')\ndef test_bad(): raise AssertionError\n"
        "@requirement('R03')\ndef test_left_out(): pytest.skip('nothing to prove it with')\n"
        "def test_of_something_else(): raise AssertionError\n"
    )

    done = run_table(tmp_path, source, "--numprocesses", processes)

    assert done.returncode == 1
    bad, skipped = "test_it.py::test_bad (failed)", "test_it.py::test_left_out (skipped)"
    for number, state, *lines in [
        ("R01", "failed", bad, "test_it.py::test_good"),
        ("R02", "failed", bad),
        ("R03", "skipped", skipped),
        ("R04", "no test"),
        ("R83", "does not apply", DOES_NOT_APPLY["R83"]),
    ]:
        assert lines_of(done.stdout, number) == [f"{number} {state} {ASKED[number]}", *lines]
    assert "test_of_something_else" not in done.stdout


@pytest.mark.parametrize(("missing", "code"), [(set(), 0), ({"R17"}, 1)])
def test_one_requirement_without_a_test_is_enough_to_fail(tmp_path: Path, missing: set[str], code: int) -> None:
    numbers = sorted(set(ASKED) - set(DOES_NOT_APPLY) - missing)

    done = run_table(tmp_path, f"@requirement(*{numbers!r})\ndef test_all(): pass\n", "--numprocesses", "0")

    assert done.returncode == code
    assert done.stdout.count(" passed ") >= len(numbers)
