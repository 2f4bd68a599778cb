"""CI jobs that wait for their project: registered, reminded of, used or gone, and never a claim to the name."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain import upkeep
from domain.index import pending_publishers
from domain.index.publisher_identities import GITHUB
from domain.index.reservations import reserve
from domain.policy.actions import Action
from models import Event, Mail, Organization, PendingPublisher, TrustedPublisher, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import People
from tests.packages import a_wheel
from tests.permits import permit_for
from tests.races import at_once
from tests.uploading import upload

PAGE, CREATE = "/manage/account/publishing/", "/manage/projects/create/"
UTILS = {"provider": "github", "owner": "Acme", "repository": "acme-utils", "workflow": "release.yml"}
CALLED = "acme/acme-utils/release.yml on GitHub"


@pytest.fixture
def ana(people: People, browser: Browser) -> User:
    user = people.a_member("ana")
    browser.sign_in(user)
    return user


@pytest.fixture
def office(people: People, ana: User) -> Organization:
    return people.an_organization("tide-office", ana, managers=(people.a_member("max"),))


def waiting() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(PendingPublisher.project_name).order_by(PendingPublisher.id)))


def told(*notices: str) -> list[tuple[str, str]]:
    mails = db.session.scalars(sa.select(Mail).order_by(Mail.id))
    return [(mail.notice, mail.to.partition("@")[0]) for mail in mails if mail.notice in notices]


def written() -> list[str]:
    tags = sa.select(Event.tag).where(Event.tag.like("account:publisher:%")).order_by(Event.id)
    return list(db.session.scalars(tags))


def test_one_comes_and_goes(ana: User, browser: Browser) -> None:
    empty = browser.page(PAGE)
    added = browser.submit(PAGE, UTILS, project_name="Acme.Utils")
    number = db.session.scalars(sa.select(PendingPublisher.id)).one()
    asked = browser.page(f"{PAGE}{number}/remove")
    removed = browser.submit(f"{PAGE}{number}/remove")

    assert "Nothing waits" in empty.text
    assert f"The first upload of {CALLED} creates Acme.Utils." in added.text
    assert "1 of 3 are in use" in added.text
    assert f"{CALLED} can no longer create Acme.Utils." in asked.text
    assert f"{CALLED} no longer waits." in removed.text
    assert waiting() == []
    assert [notice for notice, _ in told("pending-publisher-added", "pending-publisher-removed")] == [
        "pending-publisher-added",
        "pending-publisher-removed",
    ]
    assert written() == ["account:publisher:added", "account:publisher:removed"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Give the project a name."),
        ("-x", "is not valid"),
        ("os", "standard library"),
        ("requirements.txt", "is not allowed"),
        ("tide_tables", "is taken"),
        ("t1de-tables", "too like tide-tables"),
        ("Kept.Name", "kept for its former owners"),
        ("mine", "is yours already"),
        ("x" * 101, "The limit is 100"),
        ("a\0b", "control characters"),
    ],
)
def test_a_name_that_cannot_be_had_is_refused_at_its_field(
    ana: User, browser: Browser, people: People, name: str, words: str
) -> None:
    bo = people.a_member("bo")
    people.a_project("tide-tables", bo)
    people.a_project("mine", ana)
    people.a_kept_name("kept-name", bo)

    page = browser.submit(PAGE, UTILS, project_name=name, status=422)

    error = page.root.find(".//*[@id='project_name-error']")
    assert error is not None
    assert words in "".join(error.itertext())
    assert page.value("owner") == "Acme"
    assert waiting() == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"owner": "a b"}, "owner"), ({"workflow": "x.txt"}, "workflow"), ({"repository": ""}, "repository")],
)
def test_an_identity_that_cannot_be_named_is_refused_at_its_field(
    ana: User, browser: Browser, changed: dict[str, str], field: str
) -> None:
    page = browser.submit(PAGE, {**UTILS, **changed}, project_name="acme-utils", status=422)

    assert page.root.find(f".//*[@id='{field}-error']") is not None
    assert page.value("project_name") == "acme-utils"


def test_the_same_one_waits_once_and_three_are_the_limit(
    ana: User, office: Organization, browser: Browser, app: Flask, people: People
) -> None:
    browser.submit(PAGE, UTILS, project_name="one")
    assert "waits for One already" in browser.submit(PAGE, UTILS, project_name="One", status=422).text
    browser.submit(PAGE, UTILS, project_name="two")
    browser.submit("/manage/organization/tide-office/publishing/", UTILS, project_name="three")

    page = browser.submit(PAGE, UTILS, project_name="four", status=422)

    assert "You have 3 pending publishers, and that is the limit." in page.text
    assert "3 of 3 are in use, those for organizations among them" in page.text
    assert waiting() == ["one", "two", "three"]


def test_the_address_fills_the_form_in_and_the_page_says_so(ana: User, browser: Browser) -> None:
    page = browser.page(f"{PAGE}?provider=gitlab&project_name=oar&namespace=acme")

    assert page.value("project_name") == "oar"
    assert page.value("namespace") == "acme"
    assert "This was filled in from the link you followed." in page.text
    assert browser.get(f"{PAGE}?provider=nobody&project_name=%00%0a").status_code == 200


def test_somebody_elses_is_not_found(ana: User, office: Organization, people: People, app: Flask) -> None:
    own, theirs = people.a_pending("one", ana).id, people.a_pending("two", ana, organization=office).id
    bo = people.a_member("bo")
    people.an_organization("night-watch", bo)
    browser, hers = Browser(app).sign_in(bo), Browser(app).sign_in(ana)

    assert browser.get(f"{PAGE}{own}/remove").status_code == 404
    assert browser.get(f"/manage/organization/tide-office/publishing/{theirs}/remove").status_code == 403
    assert browser.get(f"/manage/organization/night-watch/publishing/{theirs}/remove").status_code == 404
    assert hers.get(f"{PAGE}{theirs}/remove").status_code == 404
    assert hers.get(f"/manage/organization/tide-office/publishing/{own}/remove").status_code == 404


def test_an_organizations_owners_see_and_remove_what_waits_for_it(
    ana: User, office: Organization, browser: Browser, app: Flask, people: People
) -> None:
    here = "/manage/organization/tide-office/publishing/"
    manager = Browser(app).sign_in(db.session.scalars(sa.select(User).where(User.username == "max")).one())

    added = browser.submit(here, UTILS, project_name="acme-utils")
    number = db.session.scalars(sa.select(PendingPublisher.id)).one()

    assert "by ana" in added.text
    assert manager.get(here).status_code == 403
    assert here not in manager.page("/manage/organization/tide-office/people/").links()
    assert here in browser.page("/manage/organization/tide-office/people/").links()
    assert "no longer waits." in browser.submit(f"{here}{number}/remove").text
    assert waiting() == []


def test_when_its_registrant_reserves_the_name_it_is_trusted(ana: User, browser: Browser) -> None:
    browser.submit(PAGE, UTILS, project_name="acme-utils")

    browser.submit(CREATE, name="Acme_Utils")

    assert waiting() == []
    trusted = db.session.scalars(sa.select(TrustedPublisher)).one()
    assert trusted.project.normalized_name == "acme-utils"
    assert told("publisher-added") == [("publisher-added", "ana")]


def test_when_an_upload_creates_the_project_it_is_trusted(
    ana: User, browser: Browser, app: Flask, people: People
) -> None:
    browser.submit(PAGE, UTILS, project_name="acme-utils")

    assert upload(app, people.a_token(ana)[1], a_wheel()).status_code == 200

    assert waiting() == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(TrustedPublisher)) == 1


@pytest.mark.parametrize("name", ["acme-utils", "acme.uti1s", "ACME_UTILS"])
def test_when_somebody_else_has_the_name_or_one_like_it_it_waits_in_vain(
    ana: User, browser: Browser, app: Flask, people: People, name: str
) -> None:
    browser.submit(PAGE, UTILS, project_name="acme-utils")

    Browser(app).sign_in(people.a_member("bo")).submit(CREATE, name=name)

    assert waiting() == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(TrustedPublisher)) == 0
    assert told("pending-publisher-ended") == [("pending-publisher-ended", "ana")]
    assert written() == ["account:publisher:added", "account:publisher:taken"]


def test_what_waits_for_an_organization_is_trusted_only_by_its_project(
    ana: User, office: Organization, browser: Browser, people: People
) -> None:
    people.a_pending("acme-utils", ana, organization=office)
    people.a_pending("acme-utils", ana, repository="other")

    browser.submit("/manage/organization/tide-office/projects/create", name="acme-utils")

    trusted = db.session.scalars(sa.select(TrustedPublisher)).one()
    assert trusted.facts["repository"] == "acme-utils"
    assert waiting() == []
    assert told("pending-publisher-ended") == [("pending-publisher-ended", "ana")]


@pytest.fixture
def sweep(app: Flask, clock: SettableClock) -> Callable[[], None]:
    """What is done from time to time."""

    def do() -> None:
        found = wiring_of(app)
        upkeep.sweep(db.session(), found.store, found.box, found.notices, now=clock.now())
        db.session.commit()

    return do


def test_five_days_before_the_end_one_mail_reminds_and_at_the_end_it_goes(
    ana: User, people: People, clock: SettableClock, sweep: Callable[[], None]
) -> None:
    people.a_pending("acme-utils", ana)
    seen = []
    for days in (24, 1, 1, 3, 1):
        clock.advance(timedelta(days=days))
        sweep()
        seen.append((len(told("pending-publisher-reminder")), len(told("pending-publisher-ended")), len(waiting())))

    assert seen == [(0, 0, 1), (1, 0, 1), (1, 0, 1), (1, 0, 1), (1, 1, 0)]
    assert written() == ["account:publisher:expired"]


def test_of_what_waits_for_an_organization_its_owners_are_told_too(
    ana: User, office: Organization, people: People, clock: SettableClock, sweep: Callable[[], None]
) -> None:
    people.a_pending(
        "acme-utils", db.session.scalars(sa.select(User).where(User.username == "max")).one(), organization=office
    )
    for days in (25, 5):
        clock.advance(timedelta(days=days))
        sweep()

    assert told("pending-publisher-reminder", "pending-publisher-ended") == [
        ("pending-publisher-reminder", "max"),
        ("pending-publisher-reminder", "ana"),
        ("pending-publisher-ended", "max"),
        ("pending-publisher-ended", "ana"),
    ]
    ended = db.session.scalars(sa.select(Event).where(Event.tag == "account:publisher:expired")).one()
    assert ended.organization_id == office.id


def test_one_that_has_ended_counts_for_nothing(
    ana: User, browser: Browser, people: People, clock: SettableClock
) -> None:
    for name in ("one", "two", "three"):
        people.a_pending(name, ana)
    clock.advance(timedelta(days=30))
    browser.sign_in(ana)

    assert "Nothing waits" in browser.page(PAGE).text
    assert "creates one." in browser.submit(PAGE, UTILS, project_name="one").text


def test_three_stay_the_limit_for_forms_sent_at_once(either_app: Flask, clock: SettableClock) -> None:
    people, found = People(either_app, clock), wiring_of(either_app)
    ana = people.a_member("ana")
    people.a_pending("first", ana)
    ana_id = ana.id
    db.session.rollback()

    def add(name: str) -> None:
        now, user = clock.now(), db.session.get_one(User, ana_id)
        permit = permit_for(user, Action.ADD_PENDING_PUBLISHER, now=now)
        values = {name: value for name, value in UTILS.items() if name != "provider"}
        pending_publishers.add(
            db.session(), permit, found.notices, project_name=name, provider=GITHUB, values=values, now=now
        )

    refusals = at_once(either_app, *[partial(add, f"tool-{number}") for number in range(5)])

    assert refusals.count(None) == 2
    assert len(waiting()) == 3


def test_one_that_is_taken_back_while_its_name_is_given_out_is_not_trusted(
    either_app: Flask, clock: SettableClock
) -> None:
    people, found = People(either_app, clock), wiring_of(either_app)
    ana = people.a_member("ana")
    ana_id, number = ana.id, people.a_pending("acme-utils", ana).id
    db.session.commit()
    is_gone = threading.Event()

    def take_back() -> None:
        pending, user = db.session.get_one(PendingPublisher, number), db.session.get_one(User, ana_id)
        permit = permit_for(user, Action.REMOVE_PENDING_PUBLISHER, pending, now=clock.now())
        pending_publishers.remove(db.session(), permit, found.notices, pending, now=clock.now())
        is_gone.set()
        time.sleep(0.5)  # not committed yet: on PostgreSQL the other still sees the row

    def reserve_it() -> None:
        is_gone.wait(5)
        permit = permit_for(db.session.get_one(User, ana_id), Action.RESERVE_PROJECT, now=clock.now())
        reserve(db.session(), permit, found.notices, name="acme-utils", now=clock.now())

    refusals = at_once(either_app, take_back, reserve_it)

    assert refusals == [None, None]
    assert waiting() == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(TrustedPublisher)) == 0
    assert told("publisher-added") == []
