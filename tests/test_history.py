"""What happened to an account is told in plain words."""

import re
from pathlib import Path

import pytest
from flask import Flask

from adapters.clock import SettableClock
from domain import history, journal
from domain.history import WORDS, Book, Kind, describe
from models import db
from tests.builders import People
from tests.permits import ORIGIN
from tests.requirements import requirement

ROOT = Path(__file__).parents[1]
TAG = re.compile(r'"((?:account|operator|project|organization|administrator)(?::[a-z_]+){2})"')


def test_every_event_that_is_written_down_has_its_words() -> None:
    sources = [path for room in ("domain", "blueprints") for path in (ROOT / room).rglob("*.py")]
    written = {tag for path in sources if path.name != "history.py" for tag in TAG.findall(path.read_text())}

    assert len(written) > 20
    assert written - WORDS.keys() == set()


@pytest.mark.parametrize(
    ("tag", "details", "words"),
    [
        ("account:totp:added", {"label": "My phone"}, "Authenticator app “My phone” added"),
        ("account:totp:added", {"label": "{0.__class__} {x}"}, "Authenticator app “{0.__class__} {x}” added"),
        ("account:totp:added", {}, "Authenticator app “…” added"),
        ("account:sign_in:failed", {"reason": "wrong password"}, "Somebody could not sign in: wrong password"),
        ("account:browser:trusted", {"until": "2026-12-02"}, "Browser trusted until 2 Dec 2026"),
        ("account:browser:trusted", {}, "Browser trusted until …"),
        ("someone:elses:tag", {"x": "y"}, "someone:elses:tag"),
        ("a:{b}:c", {}, "a:{b}:c"),
    ],
)
def test_facts_are_filled_in_and_never_read_as_a_template(tag: str, details: dict[str, object], words: str) -> None:
    assert describe(tag, details) == words


@requirement("R100")
def test_the_newest_come_first_and_only_ones_own(app: Flask, people: People, clock: SettableClock) -> None:
    ana, nora = people.a_user("ana").build(), people.a_user("nora").build()
    for number in range(30):
        details = {"address": f"number{number}@mail.example"}
        journal.record(
            db.session(), "account:email:added", now=clock.now(), origin=ORIGIN, actor_id=ana.id, details=details
        )
        journal.record(db.session(), "account:session:ended", now=clock.now(), origin=ORIGIN, actor_id=nora.id)
        journal.record(db.session(), "gate:create_token:denied", now=clock.now(), origin=ORIGIN, actor_id=ana.id)

    entries = history.leaf(db.session(), Book(Kind.ACCOUNT, ana.id), reader_id=ana.id, most=20).entries

    assert len(entries) == 20
    assert entries[0].words == "Email address number29@mail.example added"
    assert entries[-1].words == "Email address number10@mail.example added"
    assert entries[0].origin == ORIGIN


def test_whoever_else_did_it_is_named_and_not_traced(app: Flask, people: People, clock: SettableClock) -> None:
    ana, bo = people.a_user("ana").build(), people.a_user("bo").build()
    for actor_id, user_id in ((ana.id, bo.id), (None, bo.id), (bo.id, bo.id)):
        journal.record(
            db.session(),
            "project:invitation:sent",
            now=clock.now(),
            origin=ORIGIN,
            actor_id=actor_id,
            user_id=user_id,
            details={"project": "acme-utils", "role": "owner"},
        )

    entries = history.leaf(db.session(), Book(Kind.ACCOUNT, bo.id), reader_id=bo.id).entries

    assert [(entry.by, entry.origin) for entry in reversed(entries)] == [("ana", None), (None, None), ("bo", ORIGIN)]
