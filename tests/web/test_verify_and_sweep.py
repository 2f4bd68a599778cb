"""The operator asks whether what is given out is what was uploaded, and removes what belongs to nothing."""

import os
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.index import blobs
from domain.index.codings import Coding
from domain.policy.actions import Action
from domain.policy.decision import Permit, PermitMismatch
from domain.policy.principals import Operator
from models import Event, File, KeptPage, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import People
from tests.conftest import START, MakeApp
from tests.packages import a_wheel, an_sdist
from tests.permits import permit_of
from tests.uploading import upload

ORPHAN = b"nobody asked for this"
SHA256 = "0" * 63 + "1"
TWO_HOURS = timedelta(hours=2)


@pytest.fixture(params=["file:", "memory:"])
def shop(request: pytest.FixtureRequest, make_app: MakeApp) -> Iterator[Flask]:
    """The application over blobs in a folder, and over blobs that have no path."""
    application = make_app(storage_url=request.param)
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def ana(shop: Flask, clock: SettableClock) -> User:
    """Ana, who has uploaded a wheel and an sdist."""
    people = People(shop, clock)
    member = people.a_member("ana")
    token = people.a_token(member)[1]
    for package in (a_wheel(), an_sdist()):
        assert upload(shop, token, package).status_code == 200
    return member


def run(app: Flask, *words: str, code: int = 0) -> str:
    db.session.rollback()
    result = app.test_cli_runner().invoke(args=list(words))
    assert result.exit_code == code, result.output
    db.session.rollback()
    return result.output


def wheel() -> File:
    db.session.rollback()
    return db.session.scalars(sa.select(File).where(File.filename == a_wheel().filename)).one()


def test_where_all_is_well_it_says_so(shop: Flask, ana: User) -> None:
    assert run(shop, "verify") == "2 files looked at, 0 faults.\n"
    assert run(shop, "verify", "--quick") == "2 files looked at, 0 faults.\n"


def test_missing_and_altered_bytes_are_named(shop: Flask, ana: User) -> None:
    store, file = wiring_of(shop).store, wheel()
    assert file.metadata_sha256 is not None
    store.put_bytes(file.sha256, b"x" * file.size_bytes)
    store.remove(file.metadata_sha256)

    output = run(shop, "verify", code=1)

    assert f"{file.filename}: has other bytes than those that were uploaded" in output
    assert f"{file.filename}.metadata: its bytes are missing" in output
    assert "2 files looked at, 2 faults." in output
    assert "other bytes" not in run(shop, "verify", "--quick", code=1)


def test_a_file_of_another_length_is_found_without_reading_it(shop: Flask, ana: User) -> None:
    wiring_of(shop).store.put_bytes(wheel().sha256, b"short")

    assert "has 5 bytes and should have" in run(shop, "verify", "--quick", code=1)


def test_what_can_be_restored_is_looked_at_too(shop: Flask, ana: User) -> None:
    sha256 = wheel().sha256
    Browser(shop).sign_in(ana).submit("/manage/project/acme-utils/release/1.0/delete", confirm="1.0")
    before = run(shop, "verify")
    wiring_of(shop).store.remove(sha256)

    assert before == "2 files looked at, 0 faults.\n"
    assert "its bytes are missing" in run(shop, "verify", code=1)


@pytest.mark.parametrize("form", ["html", "json"])
@pytest.mark.parametrize("coding", [coding.value for coding in Coding])
def test_a_simple_page_that_lies_is_found_in_each_form_and_coding(
    shop: Flask, ana: User, form: str, coding: str
) -> None:
    one = (KeptPage.form == form, KeptPage.coding == coding)
    db.session.execute(sa.update(KeptPage).where(*one).values(body=b"{}"))
    db.session.commit()

    assert "acme-utils: its simple page does not say what is there." in run(shop, "verify", code=1)


def test_what_belongs_to_nothing_is_counted_and_swept_when_it_is_old(
    shop: Flask, ana: User, clock: SettableClock
) -> None:
    wiring_of(shop).store.put_bytes(SHA256, ORPHAN)
    counted = run(shop, "verify")
    young = blobs.sweep(db.session(), _permit(), wiring_of(shop).store, now=_written(shop))
    old = blobs.sweep(db.session(), _permit(), wiring_of(shop).store, now=_written(shop) + TWO_HOURS)

    assert "1 blobs (21 B) belong to nothing" in counted
    assert (young, old) == ((0, 0), (1, len(ORPHAN)))
    assert run(shop, "verify") == "2 files looked at, 0 faults.\n"
    event = db.session.scalars(sa.select(Event).where(Event.tag == "operator:blobs:swept")).one()
    assert event.details == {"count": 1, "bytes": len(ORPHAN)}


def test_the_command_sweeps_by_the_clock(make_app: MakeApp, clock: SettableClock, tmp_path: Path) -> None:
    app = make_app()
    with app.app_context():
        store = wiring_of(app).store
        store.put_bytes(SHA256, ORPHAN)
        path = store.local_path(SHA256)
        assert path is not None
        long_ago = (clock.now() - TWO_HOURS).timestamp()
        os.utime(path, (long_ago, long_ago))

        assert run(app, "sweep") == "1 blobs (21 B) removed.\n"
        assert not path.exists()
        assert run(app, "sweep") == "0 blobs (0 B) removed.\n"
        db.session.remove()
        db.engine.dispose()


def test_a_blob_that_is_named_again_in_that_moment_stays(either_app: Flask, clock: SettableClock) -> None:
    """Old bytes that belong to nothing, and an upload of just these: whoever comes second waits and sees the first."""
    people, store = People(either_app, clock), wiring_of(either_app).store
    token, package = people.a_token(people.a_member("ana"))[1], a_wheel()
    store.put_bytes(package.sha256, package.content)
    now = _written(either_app) + TWO_HOURS

    def sweep_up() -> None:
        with either_app.app_context():
            blobs.sweep(db.session(), _permit(), store, now=now)
            db.session.remove()

    for _ in range(5):
        threads = [
            threading.Thread(target=sweep_up),
            threading.Thread(target=upload, args=(either_app, token, package)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    db.session.rollback()
    assert [file.filename for file in db.session.scalars(sa.select(File))] == [package.filename]
    assert store.exists(package.sha256)


def test_no_other_permit_sweeps(shop: Flask) -> None:
    with pytest.raises(PermitMismatch):
        blobs.sweep(
            db.session(),
            permit_of(Operator(), Action.ROTATE_KEYS, now=START),
            wiring_of(shop).store,
            now=_written(shop),
        )


def _permit() -> Permit:
    return permit_of(Operator(), Action.SWEEP_BLOBS, now=START)


def _written(app: Flask) -> datetime:
    return max((at for _, _, at in wiring_of(app).store.listed()), default=wiring_of(app).clock.now())
