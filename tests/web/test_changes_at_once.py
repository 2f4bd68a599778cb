"""The same thing done twice in the same moment, over HTTP, in real threads, on both databases: once it is done, and
the others are told so."""

import threading

import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from models import Email, Release, User, db
from tests.browsing import Browser
from tests.builders import People

MANY = 6


def at_once(app: Flask, user: User, path: str, fields: dict[str, str]) -> list[int]:
    """Send the form from so many browsers of one person together; the statuses, sorted."""
    browsers = [Browser(app).sign_in(user) for _ in range(MANY)]
    tokens = [browser.form_token() for browser in browsers]
    together = threading.Barrier(MANY)
    statuses: list[int] = []

    def send(browser: Browser, token: str) -> None:
        together.wait()
        statuses.append(browser._send("POST", path, data={"csrf_token": token, **fields}).status_code)

    db.session.rollback()
    threads = [threading.Thread(target=send, args=each) for each in zip(browsers, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    return sorted(statuses)


def test_a_release_is_deleted_once(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    ana = people.a_member("ana")
    people.a_release(people.a_project("acme-utils", ana), "1.0", by=ana)

    statuses = at_once(either_app, ana, "/manage/project/acme-utils/release/1.0/delete", {"confirm": "1.0"})

    assert statuses == [303] + [404] * (MANY - 1)
    assert db.session.scalar(sa.select(Release.id)) is None


def test_an_address_is_removed_once(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    ana = people.a_user("ana").verified().with_totp().also("ana@work.example", verified=True).build()
    email_id = next(email.id for email in ana.emails if not email.is_primary)

    statuses = at_once(either_app, ana, f"/manage/account/emails/{email_id}/remove", {})

    assert statuses.count(303) == 1
    assert set(statuses) <= {303, 404, 422}
    assert db.session.get(Email, email_id) is None
