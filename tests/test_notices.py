"""The outbox: written with the change, delivered afterwards, tried again, claimed by one worker only."""

import threading
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from jinja2 import DictLoader, Environment, StrictUndefined

from adapters.clock import SettableClock
from adapters.mail import DeliveryFailed, MemoryMailer, OutgoingMail
from adapters.secretbox import Unsealable
from blueprints import wiring
from domain.notices import RETRY_AFTER, Notices
from models import Base, Mail, db
from tests.builders import People
from tests.conftest import MakeApp

LETTER = {
    "email/greeting/subject.txt": "Hello\r\nBcc: everybody {{ name }}",
    "email/greeting/body.txt": "Dear {{ name }}, this is {{ site.name }}.",
    "email/greeting/body.html": "<p>Dear {{ name }}</p>",
}


@dataclass
class DeadServer:
    """A mail server that refuses everything."""

    tried: list[OutgoingMail] = field(default_factory=list)

    def deliver(self, message: OutgoingMail) -> None:
        self.tried.append(message)
        raise DeliveryFailed("connection refused")


@pytest.fixture
def notices(app: Flask) -> Notices:
    return notices_of()


def notices_of() -> Notices:
    templates = Environment(loader=DictLoader(LETTER), undefined=StrictUndefined, autoescape=True)
    found = wiring.services()
    return Notices(templates, found.box, sender="countersign@localhost", site=found.site)


def write(notices: Notices, clock: SettableClock, name: str = "Ana") -> Mail:
    return notices.send(db.session(), "greeting", to="ana@mail.example", user_id=None, now=clock.now(), name=name)


def test_a_mail_goes_out_once_and_whole(notices: Notices, clock: SettableClock, mailbox: MemoryMailer) -> None:
    write(notices, clock)
    db.session.commit()

    assert notices.deliver_due(db.session(), mailbox, now=clock.now()) == 1
    assert notices.deliver_due(db.session(), mailbox, now=clock.now()) == 0

    (sent,) = mailbox.sent
    assert (sent.to, sent.text) == ("ana@mail.example", "Dear Ana, this is Countersign.")
    assert sent.html == "<p>Dear Ana</p>"


def test_a_subject_stays_on_one_line(notices: Notices, clock: SettableClock) -> None:
    assert write(notices, clock, "x\nCc: y").subject == "Hello Bcc: everybody x Cc: y"


def test_names_are_escaped_in_the_html_part(notices: Notices, clock: SettableClock) -> None:
    letter = notices.read(write(notices, clock, "<img src=x>"))

    assert "<img" not in letter.html


def test_a_mail_of_a_change_that_is_rolled_back_is_never_sent(
    notices: Notices, clock: SettableClock, mailbox: MemoryMailer
) -> None:
    write(notices, clock)
    db.session.rollback()

    assert notices.deliver_due(db.session(), mailbox, now=clock.now()) == 0


def test_the_outbox_keeps_no_link_in_clear(notices: Notices, clock: SettableClock) -> None:
    mail = write(notices, clock, "https://localhost/?token=secret")

    row = db.session.execute(sa.text("SELECT text_sealed, html_sealed FROM mail")).one()

    assert b"secret" not in row[0] + row[1]
    mail.message_id = "<another@localhost>"
    with pytest.raises(Unsealable):
        notices.read(mail)


def test_a_failed_delivery_is_tried_again_later_and_given_up_in_the_end(notices: Notices, clock: SettableClock) -> None:
    mail, dead = write(notices, clock), DeadServer()
    db.session.commit()
    notices.deliver_due(db.session(), dead, now=clock.now())

    assert mail.due_at == clock.now() + RETRY_AFTER[0]
    assert mail.last_error == "connection refused"
    assert notices.deliver_due(db.session(), dead, now=clock.now()) == 0
    for wait in RETRY_AFTER:
        clock.advance(wait)
        notices.deliver_due(db.session(), dead, now=clock.now())

    given_up = db.session.get_one(Mail, mail.id)
    assert len(dead.tried) == 1 + len(RETRY_AFTER)
    assert (given_up.due_at, given_up.sent_at) == (None, None)


def test_one_bad_mail_holds_no_other_up(notices: Notices, clock: SettableClock, mailbox: MemoryMailer) -> None:
    first = write(notices, clock, "first")
    first.text_sealed = first.html_sealed
    write(notices, clock, "second")
    db.session.commit()

    delivered = notices.deliver_due(db.session(), mailbox, now=clock.now())

    assert delivered == 1
    assert [mail.text for mail in mailbox.sent] == ["Dear second, this is Countersign."]


def test_two_workers_at_once_send_it_once(app: Flask, notices: Notices, clock: SettableClock) -> None:
    assert _sent_by_ten_workers(app, notices, clock) == 1


def test_two_workers_at_once_send_it_once_on_postgresql(
    make_app: MakeApp, postgres_url: str, clock: SettableClock
) -> None:
    app = make_app(database_url=postgres_url)
    with app.app_context():
        Base.metadata.create_all(db.engine)

        assert _sent_by_ten_workers(app, notices_of(), clock) == 1
        db.session.remove()
        db.engine.dispose()


def test_a_mail_whose_worker_died_is_due_again(notices: Notices, clock: SettableClock, mailbox: MemoryMailer) -> None:
    mail = write(notices, clock)
    mail.due_at, mail.attempts = clock.now() + timedelta(minutes=2), 1  # as the claim of a worker leaves it
    db.session.commit()

    assert notices.deliver_due(db.session(), mailbox, now=clock.now()) == 0
    assert notices.deliver_due(db.session(), mailbox, now=clock.now() + timedelta(minutes=3)) == 1


def test_a_notice_goes_to_every_verified_address(notices: Notices, people: People, clock: SettableClock) -> None:
    ana = people.a_user("ana").verified().also("second@mail.example", verified=True).also("typo@mail.example").build()

    notices.tell(db.session(), ana, "greeting", now=clock.now(), name="Ana")

    told = set(db.session.scalars(sa.select(Mail.to)))
    assert told == {"ana@mail.example", "second@mail.example"}


def _sent_by_ten_workers(app: Flask, notices: Notices, clock: SettableClock) -> int:
    write(notices, clock)
    db.session.commit()
    mailbox, together = MemoryMailer(), threading.Barrier(10)

    def work() -> None:
        with app.app_context():
            together.wait()
            notices.deliver_due(db.session(), mailbox, now=clock.now())

    workers = [threading.Thread(target=work) for _ in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return len(mailbox.sent)
