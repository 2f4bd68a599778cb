"""`flask keys rotate`, from the new key in front of the ring to the day on which the old one is gone."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from adapters.mail import MemoryMailer
from adapters.secretbox import SecretBox
from app import create_app
from blueprints.site import key_commands
from models import Event, TotpApp, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People, code_of
from tests.conftest import settings_for
from tests.letters import link_to
from tests.requirements import requirement

OLD = settings_for(Path()).encryption_keys[0]
NEW = secrets.token_bytes(32)


class Index:
    """The index that a test began with, started again on the same database with other keys."""

    def __init__(self, first: Flask, folder: Path, clock: SettableClock, mailbox: MemoryMailer) -> None:
        self._url = first.config["SQLALCHEMY_DATABASE_URI"]
        self._folder = folder
        self._clock = clock
        self._mailbox = mailbox

    @contextmanager
    def with_keys(self, *keys: bytes) -> Iterator[Flask]:
        db.session.rollback()
        settings = settings_for(self._folder, database_url=self._url, encryption_keys=keys)
        app = create_app(settings, clock=self._clock, mailer=self._mailbox)
        with app.app_context():
            try:
                yield app
            finally:
                db.session.remove()
                db.engine.dispose()

    def rotate(self, *keys: bytes, code: int = 0) -> str:
        with self.with_keys(*keys) as app:
            result = app.test_cli_runner().invoke(args=["keys", "rotate"])
        assert result.exit_code == code, result.output
        db.session.expire_all()
        return result.output


@pytest.fixture
def index(either_app: Flask, tmp_path: Path, clock: SettableClock, mailbox: MemoryMailer) -> Index:
    return Index(either_app, tmp_path, clock, mailbox)


@pytest.fixture
def people(either_app: Flask, clock: SettableClock) -> People:
    return People(either_app, clock)


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


def is_signed_in(app: Flask, ana: User, clock: SettableClock) -> bool:
    browser = Browser(app)
    browser.post("/account/login/", username="ana", password=PASSWORD)
    browser.post("/account/two-factor/", method="totp", totp_value=code_of(ana, clock))
    return browser.get("/manage/account/two-factor/").status_code == 200


@requirement("R98")
def test_after_it_the_new_key_alone_signs_people_in_and_opens_their_links(
    index: Index, either_app: Flask, ana: User, clock: SettableClock
) -> None:
    Browser(either_app).post("/account/request-password-reset/", username_or_email="ana")

    said = index.rotate(NEW, OLD)

    with index.with_keys(NEW) as app:
        link = link_to("ana@mail.example")  # read from the mail, which is sealed, too
        assert Browser(app).page(link).h1 == "Choose a new password"
        assert is_signed_in(app, ana, clock)
    assert "Older keys may be taken out of the ring" in said
    lines = [line.split() for line in said.splitlines()[:4]]
    assert [(line[0], line[1]) for line in lines] == [
        ("totp_app.secret_sealed", "1"),
        ("mail.text_sealed", "1"),
        ("mail.html_sealed", "1"),
        ("ceremony.payload_sealed", "1"),
    ]


def test_without_it_the_new_key_alone_signs_nobody_in(index: Index, ana: User, clock: SettableClock) -> None:
    with index.with_keys(NEW, OLD) as app:
        assert is_signed_in(app, ana, clock)
    clock.advance(timedelta(minutes=1))

    with index.with_keys(NEW) as app:
        assert not is_signed_in(app, ana, clock)


def test_what_does_not_open_is_named_by_its_row_and_key_and_the_exit_code_says_so(
    index: Index, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_commands, "MOST_NAMED", 2)
    bo = people.a_user("bo").verified().with_totp("1").with_totp("2").with_totp("3").build()
    ids = db.session.scalars(sa.select(TotpApp.id).order_by(TotpApp.id)).all()
    db.session.execute(sa.update(TotpApp).values(public_id=TotpApp.label))  # what the boxes were sealed for is gone
    db.session.commit()

    said = index.rotate(NEW, OLD, code=1)

    for row_id in ids[:2]:
        assert f"totp_app.secret_sealed, id {row_id}, key {SecretBox([OLD]).key_id}: This box was altered" in said
    assert f"id {ids[2]}," not in said
    assert "totp_app.secret_sealed: 1 more" in said
    assert "3 could not be opened and were left as they are. Keep the older keys." in said
    assert "may be taken out" not in said
    assert not [secret for secret in bo.test_secrets if secret in said]  # type: ignore[attr-defined]
    assert "3 could" in index.rotate(NEW, OLD, code=1)


def test_a_key_that_left_the_ring_too_early_is_named_and_can_come_back(index: Index, ana: User) -> None:
    missing = index.rotate(NEW, code=1)

    found = index.rotate(NEW, OLD)

    assert "which is not in the key ring" in missing
    assert found.split()[1] == "1"
    assert len(db.session.scalars(sa.select(Event).where(Event.tag == "operator:keys:rotated")).all()) == 2
