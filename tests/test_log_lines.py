"""A line of the log is one line, whatever strangers put into it."""

import ast
from pathlib import Path

import pytest
import structlog
from flask import Flask

from tests.requirements import requirement

ROOT = Path(__file__).parents[1]
ESCAPES = "\x1b[2J\x1b[31mred\x00\x07\x9b31m"
FORGED = "ana\r\ntimestamp='2026-11-22T14:05:10Z' level='info' event='signed in'"


def written(**facts: object) -> str:
    """What the application's log makes of an event."""
    line: object = {"event": "something", **facts}
    for processor in structlog.get_config()["processors"]:
        line = processor(None, "warning", line)
    return str(line)


@requirement("R102")
@pytest.mark.parametrize("stranger", [FORGED, ESCAPES, "\u2028line", "\u202eright to left"])
def test_what_a_stranger_wrote_cannot_end_the_line_or_steer_the_terminal(app: Flask, stranger: str) -> None:
    line = written(path=f"/{stranger}", user_agent=stranger)

    assert line.isprintable()
    assert line.startswith("timestamp=")


@requirement("R102")
def test_neither_can_what_went_wrong_with_it(app: Flask) -> None:
    try:
        raise RuntimeError(FORGED)
    except RuntimeError as error:
        line = written(exc_info=error)

    assert line.isprintable()
    assert "RuntimeError" in line


@requirement("R102")
def test_a_log_line_begins_with_words_of_our_own() -> None:
    said = [
        node.args[0]
        for room in ("adapters", "blueprints", "domain", "models")
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.")
    ]

    assert len(said) > 2
    assert [ast.unparse(words) for words in said if not isinstance(words, ast.Constant)] == []
