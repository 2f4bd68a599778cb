"""Issuers of identities that administrators let in, on their pages."""

from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.index import issuers, pending_publishers, publishers
from domain.index.publisher_identities import OIDC
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import PermitMismatch
from models import Event, Issuer, Mail, PendingPublisher, Project, TrustedPublisher, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import People
from tests.permits import permit_for
from tests.races import at_once

PAGE = "/admin/issuers/"
FORGE = {"kind": "oidc", "name": "Our forge", "url": "https://forge.acme.example/api/actions"}


@pytest.fixture
def root(people: People, browser: Browser) -> User:
    """An administrator, signed in; there is another one."""
    people.an_administrator("rita")
    user = people.an_administrator("root")
    browser.sign_in(user)
    return user


def stored() -> list[Issuer]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Issuer)))


def test_an_issuer_comes_and_goes_and_administrators_are_told(root: User, browser: Browser) -> None:
    empty = browser.page(PAGE)
    added = browser.submit(f"{PAGE}add", FORGE)
    number = stored()[0].id
    asked = browser.page(f"{PAGE}{number}/remove")
    removed = browser.submit(f"{PAGE}{number}/remove")

    assert "No issuer was added" in empty.text
    assert "Publishers can name Our forge now." in added.text
    assert "https://forge.acme.example/api/actions" in added.text
    assert asked.h1 == "Remove Our forge?"
    assert "No publisher can name Our forge any more." in removed.text
    assert stored() == []
    told = {(mail.notice, mail.to) for mail in db.session.scalars(sa.select(Mail))}
    everybody = ("root@mail.example", "rita@mail.example")
    assert told == {(f"issuer-{what}", to) for what in ("added", "removed") for to in everybody}
    tags = db.session.scalars(sa.select(Event.tag).where(Event.tag.like("index:%")).order_by(Event.id))
    assert list(tags) == ["index:issuer:added", "index:issuer:removed"]


def test_publishers_can_name_what_was_added(root: User, browser: Browser, app: Flask, people: People) -> None:
    ana = people.a_member("ana")
    people.a_project("acme-utils", ana)
    browser.submit(f"{PAGE}add", {**FORGE, "url": "https://FORGE.acme.example/api/actions"})
    hers = Browser(app).sign_in(ana)

    form = hers.page("/manage/project/acme-utils/publishing/?provider=oidc")
    added = hers.submit(
        "/manage/project/acme-utils/publishing/add", provider="oidc", issuer=FORGE["url"], sub="repo:acme/utils"
    )
    assert "Our forge (https://forge.acme.example/api/actions)" in form.text
    assert "is now a trusted publisher" in added.text


def test_an_issuer_that_went_bad_is_shut_off_with_all_that_name_it(
    root: User, browser: Browser, people: People
) -> None:
    ana = people.a_member("ana")
    browser.submit(f"{PAGE}add", FORGE)
    trusted, pending = people.a_publisher(people.a_project("acme-utils", ana)), people.a_pending("acme-next", ana)
    other = people.a_publisher(people.a_project("tide-tables", ana)).id
    trusted.issuer = pending.issuer = FORGE["url"]
    db.session.commit()

    asked = browser.page(f"{PAGE}{stored()[0].id}/remove")
    browser.submit(f"{PAGE}{stored()[0].id}/remove")

    assert "a trusted publisher of acme-utils" in asked.text
    assert "1 pending publisher" in asked.text
    assert stored() == []
    assert list(db.session.scalars(sa.select(TrustedPublisher.id))) == [other]
    assert db.session.scalars(sa.select(PendingPublisher)).all() == []
    told = [mail.notice for mail in db.session.scalars(sa.select(Mail)) if mail.to == "ana@mail.example"]
    assert told == ["publisher-removed", "pending-publisher-ended"]
    tags = set(db.session.scalars(sa.select(Event.tag)))
    assert {"project:publisher:removed", "account:publisher:issuer_removed", "index:issuer:removed"} <= tags


def test_a_permit_for_another_issuer_ends_no_publishers(
    root: User, people: People, clock: SettableClock, notices: Notices
) -> None:
    ana = people.a_member("ana")
    pending = people.a_pending("acme-next", ana)
    theirs, another = (
        Issuer(url=url, provider="oidc", name=url[8:], allows_private=False, added_by_id=root.id, added_at=clock.now())
        for url in (pending.issuer, "https://other.example")
    )
    db.session.add_all([theirs, another])
    db.session.commit()
    permit = permit_for(root, Action.REMOVE_ISSUER, another, now=clock.now())

    for end in (publishers.end_of_issuer, pending_publishers.end_of_issuer):
        with pytest.raises(PermitMismatch):
            end(db.session(), permit, notices, theirs, now=clock.now())


@pytest.mark.parametrize(("count", "says_more"), [(50, False), (51, True)])
def test_of_many_projects_that_name_it_fifty_are_shown(
    root: User, browser: Browser, people: People, count: int, says_more: bool
) -> None:
    browser.submit(f"{PAGE}add", FORGE)
    for number in range(count):
        trusted = people.a_publisher(people.a_project(f"acme-{number:02}", root))
        trusted.issuer = FORGE["url"]
    db.session.commit()

    asked = browser.page(f"{PAGE}{stored()[0].id}/remove")

    assert asked.text.count("a trusted publisher of") == 50
    assert ("those of more projects" in asked.text) is says_more


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"kind": "saml"}, "kind"),
        ({"kind": ""}, "kind"),
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"url": ""}, "url"),
        ({"url": "http://forge.acme.example"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https://forge"}, "url"),
        ({"url": "https://me@forge.acme.example"}, "url"),
        ({"url": "https://forge.acme.example/?a=b"}, "url"),
        ({"url": "https://forge.acme.example/#a"}, "url"),
        ({"url": "https://forge.acme.example:port"}, "url"),
        ({"url": "https://forge.acme.example/a b"}, "url"),
        ({"url": "https://[::1"}, "url"),
        ({"url": "https://forge.acme.example/\\evil.example"}, "url"),
        ({"url": "https://f\u043erge.acme.example"}, "url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https://f.example/" + "x" * 300}, "url"),
        ({"url": "https://gitlab.com"}, "url"),
        ({"url": "https://accounts.google.com/"}, "url"),
        ({"url": "https://token.actions.githubusercontent.com"}, "url"),
        ({"url": "https://forge..example"}, "url"),
        ({"url": "https://-forge.example"}, "url"),
        ({"url": "https://forge.example."}, "url"),
        ({"url": "https://forge.example:0"}, "url"),
        ({"url": "https://forge.example/a//b"}, "url"),
        ({"url": "https://%66orge.example"}, "url"),
        ({"url": "https://0x7f.1"}, "url"),
        ({"url": "https://127.1"}, "url"),
        ({"url": "https://127.0.0.1"}, "url"),
        ({"url": "https://10.0.0.5/forge"}, "url"),
        ({"url": "https://169.254.169.254"}, "url"),
        ({"url": "https://[::1]"}, "url"),
        ({"url": "https://[fd00::5]:8443"}, "url"),
        ({"url": "https://[::ffff:10.0.0.5]"}, "url"),
        ({"url": "https://[fe80::1%25eth0]", "allows_private": "y"}, "url"),
    ],
)
def test_what_is_no_issuer_is_refused_at_its_field(
    root: User, browser: Browser, changed: dict[str, str], field: str
) -> None:
    page = browser.submit(f"{PAGE}add", {**FORGE, **changed}, status=422)

    assert page.root.find(f".//*[@id='{field}-error']") is not None
    assert stored() == []


@pytest.mark.parametrize("url", ["https://forge:8443", "https://10.0.0.5", "https://[fd00::5]:8443/forge"])
def test_one_of_a_private_network_is_ticked_as_such(root: User, browser: Browser, url: str) -> None:
    browser.submit(f"{PAGE}add", {**FORGE, "url": url}, allows_private="y")

    issuer = stored()[0]
    assert (issuer.url, issuer.allows_private) == (url, True)
    assert "in a private network" in browser.page(PAGE).text


@pytest.mark.parametrize(("first", "second"), [("", "/"), ("/", ""), ("/forge", "/forge/")])
def test_two_that_differ_in_the_last_slash_alone_are_not_both_added(
    root: User, browser: Browser, first: str, second: str
) -> None:
    """People could not tell them apart in the list, and would name the one whose tokens never come."""
    browser.submit(f"{PAGE}add", {**FORGE, "url": f"https://forge.acme.example{first}"})

    page = browser.submit(f"{PAGE}add", {**FORGE, "url": f"https://forge.acme.example{second}"}, status=422)

    assert f"https://forge.acme.example{first} was added already" in page.text
    assert [issuer.url for issuer in stored()] == [f"https://forge.acme.example{first}"]


def test_an_issuer_is_added_once(root: User, browser: Browser) -> None:
    browser.submit(f"{PAGE}add", FORGE)

    page = browser.submit(f"{PAGE}add", {**FORGE, "name": "Another"}, status=422)

    assert "added already" in page.text


def test_whoever_is_no_administrator_learns_of_none(root: User, app: Flask, people: People) -> None:
    number = people.an_issuer("https://forge.acme.example").id
    browser = Browser(app).sign_in(people.a_member("ana"))

    assert browser.get(PAGE).status_code == 403
    assert browser.post(f"{PAGE}add", FORGE).status_code == 403
    assert browser.get(f"{PAGE}{number}/remove").status_code == 404
    assert len(stored()) == 1


def test_a_publisher_added_while_its_issuer_goes_leaves_no_stray(either_app: Flask, clock: SettableClock) -> None:
    people, found = People(either_app, clock), wiring_of(either_app)
    root, ana = people.an_administrator("root"), people.a_member("ana")
    root_id, ana_id = root.id, ana.id

    def remove(issuer_id: int) -> None:
        now, issuer = clock.now(), db.session.get_one(Issuer, issuer_id)
        permit = permit_for(db.session.get_one(User, root_id), Action.REMOVE_ISSUER, issuer, now=now)
        issuers.remove(db.session(), permit, found.notices, issuer, now=now)

    def add(project_id: int, url: str) -> None:
        now, project = clock.now(), db.session.get_one(Project, project_id)
        permit = permit_for(db.session.get_one(User, ana_id), Action.ADD_PUBLISHER, project, now=now)
        values = {"issuer": url, "sub": "repo:acme/utils"}
        publishers.add(db.session(), permit, found.notices, project, provider=OIDC, values=values, now=now)

    for number in range(4):
        url = f"https://forge-{number}.example"
        issuer_id = people.an_issuer(url).id
        project_id = people.a_project(f"tool-{number}", db.session.get_one(User, ana_id)).id
        db.session.rollback()

        refusals = at_once(either_app, partial(remove, issuer_id), partial(add, project_id, url))

        assert refusals.count(None) >= 1  # of two successes the publisher came first, and ended with its issuer
        assert db.session.get(Issuer, issuer_id) is None
        assert db.session.scalar(sa.select(sa.func.count()).where(TrustedPublisher.issuer == url)) == 0
        db.session.rollback()
