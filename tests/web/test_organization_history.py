"""What happened to an organization: told to its owners and managers."""

from flask import Flask

from adapters.clock import SettableClock
from domain import journal
from domain.history import WORDS
from models import db
from tests.browsing import Browser
from tests.builders import People
from tests.permits import ORIGIN
from tests.web.test_history_page import FACTS
from tests.web.test_project_history import cells, rows_of

HISTORY, FILE = "/manage/organization/acme/history/", "/manage/organization/acme/history.csv"


def test_owners_and_managers_read_what_was_done_by_whom_and_others_do_not(
    app: Flask, people: People, clock: SettableClock
) -> None:
    ana, bo, cleo = people.a_member("ana"), people.a_member("bo"), people.a_member("cleo")
    acme = people.an_organization("acme", ana, managers=(bo,), members=(cleo,))
    lantern = people.an_organization("lantern", cleo)
    for number, organization in enumerate((acme, acme, lantern)):
        journal.record(
            db.session(),
            "organization:team:created",
            now=clock.now(),
            origin=ORIGIN,
            actor_id=ana.id,
            organization_id=organization.id,
            details={"team": f"team {number}", "organization": organization.name},
        )
    db.session.commit()

    for reader in (ana, bo):
        browser = Browser(app).sign_in(reader)
        assert [row[0] for row in cells(browser.page(HISTORY))] == [
            "Team team 1 of acme created",
            "Team team 0 of acme created",
        ]
        assert [row["by"] for row in rows_of(browser, FILE)] == ["ana", "ana"]
        assert (ORIGIN.address in browser.page(HISTORY).text) == (reader is ana)
    assert cells(Browser(app).sign_in(bo).page(f"{HISTORY}?show=people")) == []
    assert len(cells(Browser(app).sign_in(bo).page(f"{HISTORY}?show=teams&by=ana"))) == 2
    for address in (HISTORY, FILE):
        assert Browser(app).sign_in(cleo).get(address).status_code == 403


def test_each_event_of_an_organization_reads_right_beside_the_names(
    app: Flask, people: People, clock: SettableClock
) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.an_organization("acme", ana)
    tags = [tag for tag in WORDS if tag.startswith(("organization:", "project:"))][:50]
    for tag in tags:
        journal.record(
            db.session(),
            tag,
            now=clock.now(),
            origin=ORIGIN,
            actor_id=ana.id,
            user_id=bo.id,
            organization_id=acme.id,
            details=FACTS,
        )
    db.session.commit()

    rows = cells(Browser(app).sign_in(ana).page(HISTORY))

    assert len(rows) == len(tags)
    for words, about, by, _ in rows:
        assert words not in WORDS
        assert "…" not in words
        assert (about, by.startswith("ana")) == ("bo", True)


def test_a_manager_does_not_read_which_addresses_were_invited(app: Flask, people: People, clock: SettableClock) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.an_organization("acme", ana, managers=(bo,))
    journal.record(
        db.session(),
        "organization:invitation:sent",
        now=clock.now(),
        origin=ORIGIN,
        actor_id=ana.id,
        organization_id=acme.id,
        details={"guest": "dee@mail.example", "organization": "acme", "role": "member"},
    )
    db.session.commit()

    hers, his = (cells(Browser(app).sign_in(reader).page(HISTORY))[0][0] for reader in (ana, bo))

    assert hers == "Invitation of dee@mail.example to acme as member"
    assert his == "Invitation of an address to acme as member"
