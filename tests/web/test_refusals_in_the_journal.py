"""What was refused stands in the journal, with who asked, from where and for what."""

import pytest
import sqlalchemy as sa
from flask import Flask

from models import Event, db
from tests.browsing import USER_AGENT, Browser
from tests.builders import People
from tests.requirements import requirement


def refusals() -> list[Event]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Event).where(Event.tag.like("gate:%")).order_by(Event.id)))


@requirement("R103")
def test_of_an_action(browser: Browser, people: People) -> None:
    nora = people.a_user("nora").verified().build()
    browser.sign_in(nora)

    browser.post("/manage/projects/create/", name="tide-tables")

    [event] = refusals()
    assert (event.tag, event.actor_id) == ("gate:reserve_project:denied", nora.id)
    assert event.details["reason"] == "two_factor_required"
    assert (event.address, event.user_agent) == ("203.0.113.7", USER_AGENT)


@requirement("R103")
@pytest.mark.parametrize("fields", [{}, {"csrf_token": "made up"}])
def test_of_a_form_without_its_token(browser: Browser, people: People, fields: dict[str, str]) -> None:
    ana = people.a_member("ana")
    browser.sign_in(ana)

    answer = browser._send("POST", "/manage/projects/create/", data={"name": "tide-tables", **fields})

    assert answer.status_code == 400
    [event] = refusals()
    assert (event.tag, event.actor_id) == ("gate:form:refused", ana.id)
    assert event.details["page"] == "/manage/projects/create/"
    assert (event.address, event.user_agent) == ("203.0.113.7", USER_AGENT)


@requirement("R103")
def test_of_a_strangers_form_without_its_token(browser: Browser) -> None:
    assert browser._send("POST", "/account/login/", data={"username": "ana"}).status_code == 400

    [event] = refusals()
    assert (event.tag, event.actor_id, event.user_id) == ("gate:form:refused", None, None)


@requirement("R103")
def test_of_every_try_beyond_a_budget(app: Flask, people: People) -> None:
    people.a_user("ana").verified().build()
    for number in range(10):
        Browser(app, address=f"198.51.100.{number}").post("/account/login/", username="ana", password="wrong horse")
    assert refusals() == []

    for _ in range(2):
        Browser(app).post("/account/login/", username="ana", password="wrong horse")

    found = [(event.tag, event.address, event.details["page"]) for event in refusals()]
    assert found == [("gate:budget:spent", "203.0.113.7", "/account/login/")] * 2


@requirement("R103")
def test_of_a_mail_beyond_a_budget_which_the_page_does_not_tell(app: Flask, people: People) -> None:
    ana = people.a_user("ana").verified().build()
    for number in range(6):
        asking = Browser(app, address=f"198.51.100.{number}")
        assert asking.post("/account/request-password-reset/", username_or_email="ana").status_code == 200

    asked = sa.select(Event).where(Event.tag == "account:password:reset_requested").order_by(Event.id.desc())
    event = db.session.scalars(asked).first()
    assert event is not None
    assert (event.user_id, event.address) == (ana.id, "198.51.100.5")
    assert event.details == {"sent": "nothing, for it was asked too often"}
