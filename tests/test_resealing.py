"""Everything sealed is sealed anew under the first key of the ring, while the index works, and in as many runs as it
takes."""

import secrets
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from adapters.secretbox import SecretBox
from domain import resealing
from domain.identity import ceremonies
from domain.identity.ceremonies import Purpose
from domain.identity.factors import secret_context
from domain.policy.actions import Action
from domain.policy.decision import PermitMismatch
from domain.policy.principals import Operator
from domain.resealing import PLACES, Tally, rotate_keys
from models import Base, Ceremony, Event, Mail, TotpApp, User, db
from tests.browsing import wiring_of
from tests.builders import People
from tests.conftest import MakeApp
from tests.permits import ORIGIN, permit_for, permit_of
from tests.requirements import requirement

OLD, NEW, OTHER = (secrets.token_bytes(32) for _ in range(3))
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
RandomBytes = Callable[[int], bytes]


def ring(*keys: bytes, random_bytes: RandomBytes = secrets.token_bytes) -> SecretBox:
    return SecretBox(keys or (NEW, OLD), random_bytes=random_bytes)


def rotate(clock: SettableClock, box: SecretBox | None = None) -> dict[str, Tally]:
    permit = permit_of(Operator(), Action.ROTATE_KEYS, now=clock.now())
    tallies = rotate_keys(db.session(), permit, box or ring(), now=clock.now())
    db.session.commit()
    return {tally.name: tally for tally in tallies}


def apps(app: Flask, clock: SettableClock, count: int, *, sealed_by: SecretBox | None = None) -> list[int]:
    """Authenticator apps of one account, sealed under the old key; their ids."""
    user = db.session.scalar(sa.select(User)) or People(app, clock).a_user("ana").verified().build()
    rows = []
    for number in range(count):
        public_id = secrets.token_hex(8)
        context = secret_context(user_id=user.id, public_id=public_id)
        sealed = (sealed_by or ring(OLD)).seal(SECRET.encode(), context=context)
        label = f"{public_id} {number}"
        rows.append(
            TotpApp(
                public_id=public_id,
                user_id=user.id,
                label=label,
                secret_sealed=sealed,
                last_step=0,
                added_at=clock.now(),
            )
        )
    db.session.add_all(rows)
    db.session.commit()
    return [row.id for row in rows]


def secrets_under(box: SecretBox) -> list[str]:
    """The secrets of all apps, opened."""
    db.session.rollback()
    rows = db.session.scalars(sa.select(TotpApp).order_by(TotpApp.id)).all()
    contexts = [secret_context(user_id=row.user_id, public_id=row.public_id) for row in rows]
    return [box.open(row.secret_sealed, context=context).decode() for row, context in zip(rows, contexts, strict=True)]


def test_every_column_of_sealed_boxes_is_known() -> None:
    sealed = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name.endswith("_sealed")
    }

    assert len(sealed) >= 4
    assert {place.name for place in PLACES} == sealed


@requirement("R98")
def test_all_that_is_sealed_opens_with_the_new_key_alone(either_app: Flask, clock: SettableClock) -> None:
    found, session = wiring_of(either_app), db.session()
    old = found.box
    apps(either_app, clock, 3, sealed_by=old)
    facts = {"username": "ana", "token": "abc", "origin": ORIGIN}
    mail = found.notices.send(session, "password-reset", to="ana@mail.example", user_id=None, now=clock.now(), **facts)
    text, html = found.notices.read(mail).text, found.notices.read(mail).html
    handle = ceremonies.begin(session, old, Purpose.RESET_PASSWORD, now=clock.now(), payload={"it": "stays"})
    session.commit()
    names = {"totp_app.secret_sealed": 3, "mail.text_sealed": 1, "mail.html_sealed": 1, "ceremony.payload_sealed": 1}

    tallies = rotate(clock, ring(NEW, b"0123456789abcdef0123456789abcdef"))

    assert {name: (tally.resealed, tally.current) for name, tally in tallies.items()} == {
        name: (count, 0) for name, count in names.items()
    }
    new = ring(NEW)
    assert secrets_under(new) == [SECRET] * 3
    begun = ceremonies.look_up(session, new, Purpose.RESET_PASSWORD, handle, now=clock.now())
    assert begun is not None
    assert begun.payload == {"it": "stays"}
    row = session.scalars(sa.select(Mail)).one()
    for part, sealed, words in (("text", row.text_sealed, text), ("html", row.html_sealed, html)):
        assert new.open(sealed, context=f"mail:{row.message_id}:{part}").decode() == words
    assert not any(tally.unopened for tally in tallies.values())


def test_a_second_run_finds_nothing_to_do(either_app: Flask, clock: SettableClock) -> None:
    apps(either_app, clock, 3)
    rotate(clock)
    kept = db.session.scalars(sa.select(TotpApp.secret_sealed).order_by(TotpApp.id)).all()

    again = rotate(clock)["totp_app.secret_sealed"]

    assert (again.resealed, again.current) == (0, 3)
    assert db.session.scalars(sa.select(TotpApp.secret_sealed).order_by(TotpApp.id)).all() == kept


def test_more_rows_than_a_batch_are_all_sealed_anew(
    either_app: Flask, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "BATCH", 4)
    ids = apps(either_app, clock, 13)
    db.session.execute(sa.delete(TotpApp).where(TotpApp.id.in_(ids[2:7])))
    db.session.commit()

    tally = rotate(clock)["totp_app.secret_sealed"]

    assert tally.resealed == 8
    assert secrets_under(ring(NEW)) == [SECRET] * 8


@requirement("R98")
def test_an_interrupted_run_loses_no_finished_batch_and_is_taken_up_again(
    either_app: Flask, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "BATCH", 4)
    apps(either_app, clock, 10)
    sealed = iter(range(6))

    def stops_in_the_second_batch(count: int) -> bytes:
        if next(sealed, None) is None:
            raise KeyboardInterrupt
        return secrets.token_bytes(count)

    with pytest.raises(KeyboardInterrupt):
        rotate(clock, ring(NEW, OLD, random_bytes=stops_in_the_second_batch))
    between = secrets_under(ring())
    tally = rotate(clock)["totp_app.secret_sealed"]

    assert between == [SECRET] * 10
    assert (tally.current, tally.resealed) == (4, 6)
    assert secrets_under(ring(NEW)) == [SECRET] * 10


def elsewhere(app: Flask, act: Callable[[], object]) -> threading.Thread:
    """Do something in another transaction at the same time, and commit it."""

    def run() -> None:
        with app.app_context():
            act()
            db.session.commit()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_secret_that_somebody_changes_meanwhile_stays_as_they_left_it(
    either_app: Flask, clock: SettableClock
) -> None:
    _, second = apps(either_app, clock, 2)
    public_id = db.session.scalars(sa.select(TotpApp.public_id).where(TotpApp.id == second)).one()
    user_id = db.session.scalars(sa.select(User.id)).one()
    theirs = ring(NEW).seal(b"THEIRS", context=secret_context(user_id=user_id, public_id=public_id))
    threads: list[threading.Thread] = []

    def meanwhile(count: int) -> bytes:
        if not threads:  # while the first row is sealed, and the second one was read already
            change = sa.update(TotpApp).where(TotpApp.id == second).values(secret_sealed=theirs)
            threads.append(elsewhere(either_app, lambda: db.session.execute(change)))
            threads[0].join(timeout=1)  # with SQLite they wait for us
        return secrets.token_bytes(count)

    db.session.rollback()
    rotate(clock, ring(NEW, OLD, random_bytes=meanwhile))
    threads[0].join()

    assert secrets_under(ring(NEW)) == [SECRET, "THEIRS"]


def test_a_secret_that_somebody_removes_meanwhile_stays_removed(either_app: Flask, clock: SettableClock) -> None:
    _, second = apps(either_app, clock, 2)
    threads: list[threading.Thread] = []

    def meanwhile(count: int) -> bytes:
        if not threads:
            threads.append(
                elsewhere(either_app, lambda: db.session.execute(sa.delete(TotpApp).where(TotpApp.id == second)))
            )
            threads[0].join(timeout=1)
        return secrets.token_bytes(count)

    rotate(clock, ring(NEW, OLD, random_bytes=meanwhile))
    threads[0].join()

    assert secrets_under(ring(NEW)) == [SECRET]


@pytest.fixture
def postgres_app(make_app: MakeApp, postgres_url: str) -> Iterator[Flask]:
    application = make_app(database_url=postgres_url)
    with application.app_context():
        Base.metadata.create_all(db.engine)
        yield application
        db.session.remove()
        db.engine.dispose()


def test_a_row_in_use_is_waited_for_while_no_other_one_is_held(postgres_app: Flask, clock: SettableClock) -> None:
    """Somebody holds the second row and asks for the first one, which we hold: a deadlock, if we waited for them."""
    first, second = apps(postgres_app, clock, 2)
    has_second, may_go_on = threading.Event(), threading.Event()

    def sign_in_with(app_id: int) -> None:
        db.session.execute(sa.update(TotpApp).where(TotpApp.id == app_id).values(last_step=7))

    def second_then_first() -> None:
        sign_in_with(second)
        has_second.set()
        may_go_on.wait(10)
        sign_in_with(first)

    def meanwhile(count: int) -> bytes:
        if sealed.pop() == second:
            may_go_on.set()
        return secrets.token_bytes(count)

    sealed = [second, second, first]
    other = elsewhere(postgres_app, second_then_first)
    has_second.wait(10)

    tally = rotate(clock, ring(NEW, OLD, random_bytes=meanwhile))["totp_app.secret_sealed"]

    other.join()
    assert tally.resealed == 2
    assert secrets_under(ring(NEW)) == [SECRET] * 2
    assert db.session.scalars(sa.select(TotpApp.last_step)).all() == [7, 7]
    assert sealed == []


def test_swapped_altered_and_foreign_boxes_are_reported_and_left_as_they_are(
    either_app: Flask, clock: SettableClock
) -> None:
    apps(either_app, clock, 4)
    apps(either_app, clock, 1, sealed_by=ring(OTHER))
    one, two, three, _, foreign = db.session.scalars(sa.select(TotpApp).order_by(TotpApp.id)).all()
    one.secret_sealed, two.secret_sealed = two.secret_sealed, one.secret_sealed
    three.secret_sealed = b"no box"
    db.session.commit()
    bad = [one.id, two.id, three.id, foreign.id]
    kept = {row.id: row.secret_sealed for row in (one, two, three, foreign)}

    tally = rotate(clock)["totp_app.secret_sealed"]

    assert tally.resealed == 1
    old, other = ring(OLD).key_id, ring(OTHER).key_id
    assert [(box.row_id, box.key_id) for box in tally.unopened] == list(zip(bad, [old, old, "", other], strict=True))
    assert "sealed for another place" in tally.unopened[0].why
    assert other in tally.unopened[3].why
    db.session.expire_all()
    assert {row.id: row.secret_sealed for row in (one, two, three, foreign)} == kept


def test_what_has_expired_need_not_open(app: Flask, clock: SettableClock) -> None:
    for purpose in (Purpose.TOTP, Purpose.RESET_PASSWORD):
        ceremonies.begin(db.session(), ring(OTHER), purpose, now=clock.now(), payload={})
    db.session.commit()
    clock.advance(timedelta(minutes=31))

    tally = rotate(clock)["ceremony.payload_sealed"]

    assert len(tally.unopened) == 1
    assert db.session.scalars(sa.select(Ceremony.purpose)).all() == ["reset-password"]


def test_the_journal_tells_of_it_with_counts_and_no_secret(app: Flask, clock: SettableClock) -> None:
    apps(app, clock, 2)
    apps(app, clock, 1, sealed_by=ring(OTHER))

    rotate(clock)

    event = db.session.scalars(sa.select(Event).where(Event.tag == "operator:keys:rotated")).one()
    assert (event.actor_id, event.user_id) == (None, None)
    assert event.details["key"] == ring(NEW).key_id
    assert event.details["places"]["totp_app.secret_sealed"] == {"resealed": 2, "unopened": 1}
    assert SECRET not in repr(event.details)


def test_nobody_but_the_operator_rotates_keys(app: Flask, people: People, clock: SettableClock) -> None:
    permit = permit_for(people.a_member("ana"), Action.VIEW_ACCOUNT, now=clock.now())

    with pytest.raises(PermitMismatch):
        rotate_keys(db.session(), permit, ring(), now=clock.now())
