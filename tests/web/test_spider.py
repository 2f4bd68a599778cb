"""Every link that a page has, and the address of every form in it, can be opened: nothing breaks, nothing changes."""

from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import html5lib
import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from domain.identity.sessions import Level
from models import BrowserSession, Event, Project, ProjectRole, User, db
from tests.browsing import Browser, Page
from tests.builders import People, UserBuilder
from tests.packages import a_wheel
from tests.requirements import requirement
from tests.test_gate import gated_routes, rows
from tests.uploading import upload

MOST = 1_000  # a site without an end would be a fault, too


@dataclass
class Walk:
    """What was seen on the way. answers: the status of each address. links: where each linked address was found first;
    those of forms are in `answers` alone. pages: what was made for people to look at."""

    answers: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)


def walk(browser: Browser) -> Walk:
    """Open the home page, the list for installers, every page of account and projects that has one address only, and
    all that can be reached from there, breadth first, until there is nothing new. Fail for what breaks, for a link to
    nowhere and for a changed row.

    A look may leave the traces of `tests.test_gate`: a refusal's event; what was kept, or begun to be scanned; the
    session with the banner in it.
    """
    seen, before = Walk(), rows()
    single = [
        str(route.rule) for route in gated_routes(browser.app) if route.method == "GET" and not route.rule.arguments
    ]
    waiting = deque(["/", "/simple/", *single])
    while waiting:
        address = waiting.popleft()
        if address in seen.answers:
            continue
        assert len(seen.answers) < MOST
        answer = browser.get(address)
        seen.answers[address] = answer.status_code
        assert answer.status_code < 500, f"{address}: {answer.status}"
        assert rows() == before, f"opening {address} changed a row"
        links, forms = leads_of(browser, answer, address, seen.pages)
        seen.links = {**dict.fromkeys(links, address), **seen.links}
        waiting.extend(links + forms)
    dead = {link: where for link, where in seen.links.items() if seen.answers[link] >= 400}
    assert dead == {}
    return seen


def leads_of(browser: Browser, answer: TestResponse, address: str, pages: list[Page]) -> tuple[list[str], list[str]]:
    """Where an answer leads on this site, by links and by forms. A page for people is judged and added to `pages`."""
    if 300 <= answer.status_code < 400:
        return [answer.headers["Location"]], []
    if answer.mimetype != "text/html":
        return [], []
    if address.startswith("/simple/"):  # made for installers: only the links count
        root = html5lib.parse(answer.text, namespaceHTMLElements=False)
    else:
        pages.append(browser._judged(answer, answer.status_code))
        root = pages[-1].root
    links = [target for element in root.iter("a") if not (target := element.get("href", "#")).startswith("#")]
    forms = [element.get("action") or address for element in root.iter("form")]
    forms += [element.get("formaction", "") for element in root.iter("button") if element.get("formaction")]
    return here(links, address), here(forms, address)


def here(targets: list[str], address: str) -> list[str]:
    """Those on this site, written out from its root, without the place on the page."""
    whole = [urlsplit(urljoin(address, target)) for target in targets]
    return [parts._replace(fragment="").geturl() for parts in whole if not parts.scheme and not parts.netloc]


def at_home(app: Flask, people: People, builder: UserBuilder) -> User:
    """Somebody with a part in everything: projects with files, tokens, addresses, invitations from and to others."""
    ana = builder.verified().also("ana@second.example", verified=True).also("ana@third.example").build()
    bo, cleo = people.a_member("bo"), people.a_member("cleo")
    _, text = people.a_token(bo, "laptop")
    for version in ("1.0", "1.1"):
        assert upload(app, text, a_wheel("tide-tables", version)).status_code == 200
    tide = db.session.scalars(sa.select(Project)).one()
    db.session.add(ProjectRole(project_id=tide.id, user_id=ana.id, role="owner", since=ana.registered_at))
    db.session.commit()
    people.a_project("buoy", ana)
    people.a_project("lantern", bo, maintainers=(ana,))
    people.a_token(ana, "ci", projects=(tide,))
    people.an_invitation(tide, cleo, by=ana)
    people.an_invitation(people.a_project("harbour", bo), ana, by=bo)
    return ana


def done() -> tuple[list[str], list[tuple[int | None, str]]]:
    """What is among the traces and must stay as it is: events of deeds, which those of the gate are not; and who is
    signed in how far."""
    db.session.rollback()
    deeds = sa.select(Event.tag).where(Event.tag.not_like("gate:%"))
    signed_in = sa.select(BrowserSession.user_id, BrowserSession.level).where(BrowserSession.user_id.is_not(None))
    return list(db.session.scalars(deeds)), [(user_id, level) for user_id, level in db.session.execute(signed_in)]


@requirement("R90")
def test_whoever_may_do_everything_changes_nothing_by_looking(app: Flask, browser: Browser, people: People) -> None:
    builder = people.a_user("ana").with_totp().with_totp("Tablet").with_recovery_codes()
    browser.sign_in(at_home(app, people, builder))
    before = done()

    seen = walk(browser)

    assert len(seen.answers) > 70
    assert done() == before


@requirement("R67", "R94")
def test_every_page_of_somebody_signed_in_has_the_button_that_signs_out_and_is_kept_nowhere(
    app: Flask, browser: Browser, people: People
) -> None:
    browser.sign_in(at_home(app, people, people.a_user("ana").with_totp().with_recovery_codes()))

    pages = walk(browser).pages

    assert len(pages) > 50
    for page in pages:
        forms = [(form.get("method"), form.get("action")) for form in page.root.iter("form")]
        assert ("post", "/account/logout/") in forms, page.response.request.path
        assert page.response.headers["Cache-Control"] == "no-store", page.response.request.path


@requirement("R90")
def test_without_a_second_factor_one_is_stopped_and_changes_nothing(
    app: Flask, browser: Browser, people: People
) -> None:
    browser.sign_in(at_home(app, people, people.a_user("ana")))
    before = done()

    seen = walk(browser)

    assert len(seen.answers) > 50
    assert seen.answers["/manage/account/token/"] == 303
    assert done() == before


@pytest.mark.parametrize("level", [Level.HALF, Level.ANONYMOUS])
@requirement("R06", "R90")
def test_half_signed_in_or_not_at_all_one_sees_what_is_public_and_changes_nothing(
    app: Flask, browser: Browser, people: People, level: Level
) -> None:
    ana = at_home(app, people, people.a_user("ana").with_totp())
    if level is Level.HALF:
        browser.sign_in(ana, level=Level.HALF)
    before = done()

    seen = walk(browser)

    assert len(seen.answers) > 30
    assert not [page for page in seen.pages if page.root.find(".//details[@class='menu']") is not None]
    assert done() == before
