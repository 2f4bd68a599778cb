"""Your projects: open to everybody who is signed in, and it offers what that person can do next."""

from datetime import timedelta
from xml.etree.ElementTree import Element

import pytest

from adapters.clock import SettableClock
from models import db
from tests.browsing import Browser
from tests.builders import People

PROJECTS = "/manage/projects/"


def words(element: Element | None) -> str:
    assert element is not None
    return " ".join("".join(element.itertext()).split())


def test_the_list_has_ones_own_projects_with_version_state_and_ways_on(browser: Browser, people: People) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("Acme.Utils", ana)
    people.a_release(acme, "1.4.1", by=ana)
    people.a_release(acme, "1.4.2", by=ana)
    people.a_release(people.a_project("tide-tables", bo, maintainers=(ana,)), "0.9b3", by=bo)
    people.a_project("buoy", ana)
    people.a_project("secret-of-bo", bo)
    browser.sign_in(ana)

    page = browser.page(PROJECTS)

    listed = [item for item in page.root.iter("li") if item.find("h2") is not None]
    assert [(words(item.find("h2")), words(item.find("span"))) for item in listed] == [
        ("Acme.Utils", "1.4.2 · 22 Nov 2026"),
        ("buoy Reserved", "since 22 Nov 2026"),
        ("tide-tables Pre-release", "0.9b3 · 22 Nov 2026"),
    ]
    assert {"/manage/project/acme-utils/releases/", "/manage/project/acme-utils/collaboration/"} <= set(page.links())
    assert "/manage/projects/create/" in page.links()


@pytest.mark.parametrize(
    ("state", "button", "steps"),
    [
        (
            "unverified",
            "/manage/unverified-account/",
            ["Verify your email", "Turn on two-factor", "Create an API token"],
        ),
        ("verified", "/manage/account/two-factor/", ["Turn on two-factor", "Create an API token"]),
        ("member", "/manage/account/token/", ["Create an API token"]),
    ],
)
def test_without_a_project_the_page_says_what_comes_next(
    browser: Browser, people: People, state: str, button: str, steps: list[str]
) -> None:
    newt = people.a_user("newt")
    if state != "unverified":
        newt.verified()
    if state == "member":
        newt.with_totp()
    browser.sign_in(newt.build())

    page = browser.page(PROJECTS)

    main = page.root.find(".//main")
    assert main is not None
    actions = main.find(".//*[@class='empty']//*[@class='actions']/a")
    assert actions is not None
    assert actions.get("href") == button
    listed = [words(item) for item in main.iter("li")]
    assert [line.startswith(step) for line, step in zip(listed, steps, strict=False)] == [True] * len(steps)
    assert len(listed) == len(steps) + 1
    assert "uv publish --publish-url http://localhost:8000/legacy/" in page.text
    assert ("/manage/projects/create/" in page.links()) is (state == "member")


def test_an_invitation_stands_above_the_list_until_it_is_over(
    browser: Browser, people: People, clock: SettableClock
) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    people.an_invitation(people.a_project("tide-charts", ana), bo, by=ana, role="owner")
    people.an_invitation(people.a_project("buoy", ana), bo, by=ana)

    page = browser.sign_in(bo).page(PROJECTS)
    clock.advance(timedelta(days=7))
    later = browser.sign_in(bo).page(PROJECTS)

    assert "ana asks you to become an owner of tide-charts." in page.text
    assert "ana asks you to help maintain buoy." in page.text
    assert "asks you" not in later.text


def test_whoever_lost_the_second_factor_is_offered_to_set_one_up(browser: Browser, people: People) -> None:
    newt = people.a_user("newt").verified().build()
    people.a_project("tide-charts", newt)

    links = browser.sign_in(newt).page(PROJECTS).links()

    assert "/manage/account/two-factor/" in links
    assert "/manage/projects/create/" not in links


def test_a_summary_is_shown_as_text(browser: Browser, people: People) -> None:
    ana = people.a_member("ana")
    acme = people.a_project("acme-utils", ana)
    acme.summary = "<script>alert(1)</script> & more"
    db.session.commit()

    page = browser.sign_in(ana).page(PROJECTS)

    assert "<script>alert(1)</script> & more" in page.text
