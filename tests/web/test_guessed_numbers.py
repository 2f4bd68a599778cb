"""Whoever guesses the number of something learns nothing of it from the refusal."""

import pytest
import sqlalchemy as sa
from flask import Flask

from domain.index import organizations
from models import Event, db
from tests.browsing import Browser
from tests.builders import People


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        ("/manage/project/acme-utils/publishing/{publisher}/remove", "release.yml"),
        ("/manage/project/acme-utils/releases/deleted/{removed}/restore", "0.9"),
        ("/manage/organization/tide-office/publishing/{pending}/remove", "release.yml"),
        ("/manage/organization/tide-office/team/night-watch/", "night-watch"),
    ],
)
def test_a_stranger_is_refused_without_its_name(app: Flask, people: People, path: str, secret: str) -> None:
    ana = people.a_member("ana")
    acme, office = people.a_project("acme-utils", ana), people.an_organization("tide-office", ana)
    people.a_team("night-watch", office)
    numbers = {
        "publisher": people.a_publisher(acme).id,
        "removed": people.a_removal(acme, "0.9", by=ana).id,
        "pending": people.a_pending("acme-next", ana, organization=office).id,
    }
    address = path.format(**numbers)

    told = Browser(app).sign_in(people.a_member("eve")).page(address, status=403)
    why = db.session.scalars(sa.select(Event).where(Event.tag.like("gate:%:denied"))).one()

    assert secret not in told.text.replace(address, "")
    assert why.details["target"] == ""
    assert organizations.find(db.session(), "tide-office") is not None


def test_whoever_has_a_part_in_it_is_told_its_name(app: Flask, people: People) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana, maintainers=(bo,))
    number = people.a_publisher(acme).id

    told = Browser(app).sign_in(bo).page(f"/manage/project/acme-utils/publishing/{number}/remove", status=403)

    assert "release.yml" in told.text
