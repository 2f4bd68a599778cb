"""Mails: whole, to every verified address, in words for browsers; `test_notice_texts.py` has what they say."""

from pathlib import Path

import pytest
from flask import Flask

from adapters.clock import SettableClock
from domain.notices import Notices
from models import Email, db
from tests.builders import People
from tests.letters import letters
from tests.permits import ORIGIN

FOLDER = Path(__file__).parents[2] / "templates/email"


@pytest.mark.parametrize("folder", [path for path in FOLDER.iterdir() if path.is_dir()], ids=lambda path: path.name)
def test_every_notice_has_a_subject_a_text_and_html(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["body.html", "body.txt", "subject.txt"]
    assert len((folder / "subject.txt").read_text().strip().splitlines()) == 1


def test_a_notice_goes_to_every_verified_address_and_only_there(
    app: Flask, notices: Notices, people: People, clock: SettableClock
) -> None:
    ana, now = people.a_user("ana").verified().build(), clock.now()
    for name, verified_at in (("two", now), ("three", None)):
        text = f"{name}@mail.example"
        ana.emails.append(
            Email(address=text, address_key=text, is_primary=False, added_at=now, verified_at=verified_at)
        )

    notices.tell(db.session(), ana, "password-changed", now=now, origin=ORIGIN)
    db.session.commit()

    assert [letter.to for letter in letters()] == ["ana@mail.example", "two@mail.example"]


WEBKIT, BLINK = "AppleWebKit/605.1.15 (KHTML, like Gecko)", "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.5 Safari/605.1.15", "Safari on macOS"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {BLINK} Safari/537.36 Edg/143.0.0.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {BLINK} Mobile Safari/537.36", "Chrome on Android"),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) {WEBKIT} CriOS/143.0 Safari/604.1",
            "Chrome on iPhone",
        ),
        ("twine/6.2.0 CPython/3.11.7", "twine"),
        ("", "an unknown program"),
    ],
)
def test_browsers_are_called_by_their_names(app: Flask, user_agent: str, words: str) -> None:
    assert app.jinja_env.filters["browser"](user_agent) == words
