"""What waits for a CI job is created when that job first asks for a token, as long as its registrant still might."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from adapters.identity_tokens import Key, PublishedIssuers
from blueprints import wiring
from models import Event, Mail, PendingPublisher, Project, ProjectRole, TotpApp, TrustedPublisher, User, db
from tests.browsing import wiring_of
from tests.builders import People
from tests.identity_issuer import RSA, github
from tests.packages import a_wheel
from tests.uploading import upload


@pytest.fixture
def app(app: Flask) -> Flask:
    """The application, which knows the keys of GitHub."""
    keys: dict[str, Key] = {RSA.kid: (RSA.algorithm, RSA.private.public_key())}  # type: ignore[dict-item]
    tokens = PublishedIssuers(lambda issuer, allows_private: keys)
    app.extensions[wiring.EXTENSION] = replace(wiring_of(app), identity_tokens=tokens)
    return app


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


def mint(app: Flask, clock: SettableClock, **changes: Any) -> tuple[int, dict[str, Any]]:
    db.session.rollback()
    sent = {"token": RSA.sign(github(clock.now(), **changes))}
    with app.app_context():
        answer = app.test_client().post("/_/oidc/mint-token", base_url="http://localhost:8000", json=sent)
    db.session.rollback()
    return answer.status_code, answer.get_json()


def names() -> list[str]:
    return list(db.session.scalars(sa.select(Project.name).order_by(Project.id)))


def told(*notices: str) -> list[tuple[str, str]]:
    mails = db.session.scalars(sa.select(Mail).order_by(Mail.id))
    return [(mail.notice, mail.to.partition("@")[0]) for mail in mails if mail.notice in notices]


def test_the_project_is_created_for_whoever_registered_it_and_takes_the_upload(
    app: Flask, clock: SettableClock, people: People, ana: User
) -> None:
    people.a_pending("Acme.Utils", ana)

    status, body = mint(app, clock)
    uploaded = upload(app, body["token"], a_wheel("acme-utils"))

    assert (status, uploaded.status_code, names()) == (200, 200, ["Acme.Utils"])
    assert db.session.execute(sa.select(ProjectRole.user_id, ProjectRole.role)).all() == [(ana.id, "owner")]
    assert db.session.scalars(sa.select(PendingPublisher)).all() == []
    publisher = db.session.scalars(sa.select(TrustedPublisher)).one()
    assert publisher.ids == {"repository_owner_id": "501", "repository_id": "1001"}
    assert told("publisher-first-use", "publisher-added") == [
        ("publisher-added", "ana"),
        ("publisher-first-use", "ana"),
    ]
    assert "project:name:created" in db.session.scalars(sa.select(Event.tag)).all()


def test_of_an_organization_it_belongs_to_it(app: Flask, clock: SettableClock, people: People, ana: User) -> None:
    office = people.an_organization("tide-office", ana)
    people.a_pending("acme-utils", ana, organization=office)

    status, _ = mint(app, clock)

    assert status == 200
    assert db.session.scalars(sa.select(Project.organization_id)).one() == office.id
    assert db.session.scalars(sa.select(ProjectRole)).all() == []


def test_whoever_registered_it_and_has_no_second_factor_any_more_gets_nothing(
    app: Flask, clock: SettableClock, people: People, ana: User
) -> None:
    people.a_pending("acme-utils", ana)
    db.session.execute(sa.delete(TotpApp))
    db.session.commit()

    status, body = mint(app, clock)

    assert (status, names()) == (422, [])
    assert body["errors"] == [
        {
            "code": "invalid-pending-publisher",
            "description": "acme-utils cannot be created: whoever registered it has no second factor any more.",
        }
    ]
    assert len(db.session.scalars(sa.select(PendingPublisher)).all()) == 1


def test_whoever_left_the_organization_gets_nothing_for_it(
    app: Flask, clock: SettableClock, people: People, ana: User
) -> None:
    bo = people.a_member("bo")
    office = people.an_organization("tide-office", bo)
    people.a_pending("acme-utils", ana, organization=office)

    status, body = mint(app, clock)

    assert (status, names()) == (422, [])
    assert "ana may not create it any more" in body["errors"][0]["description"]


def test_a_frozen_account_gets_nothing(app: Flask, clock: SettableClock, people: People, ana: User) -> None:
    people.a_pending("acme-utils", ana)
    ana.is_active = False
    db.session.commit()

    assert mint(app, clock)[0] == 422
    assert names() == []


def test_another_job_of_the_repository_creates_nothing(
    app: Flask, clock: SettableClock, people: People, ana: User
) -> None:
    people.a_pending("acme-utils", ana)

    status, _ = mint(app, clock, job_workflow_ref="acme/acme-utils/.github/workflows/evil.yml@refs/tags/v1.0")

    assert (status, names()) == (422, [])


def test_one_that_has_expired_creates_nothing(app: Flask, clock: SettableClock, people: People, ana: User) -> None:
    pending = people.a_pending("acme-utils", ana)
    pending.expires_at = clock.now()
    db.session.commit()

    assert mint(app, clock)[0] == 422
    assert names() == []


def test_a_name_that_cannot_be_had_any_more_is_told_and_gives_no_rights(
    app: Flask, clock: SettableClock, people: People, ana: User
) -> None:
    """It ended when somebody else took the name; one that is there nevertheless gives nothing."""
    people.a_project("acme-utils", people.a_member("bo"))
    people.a_pending("acme-utils", ana)

    status, body = mint(app, clock)

    assert status == 422
    assert body["errors"][0]["description"].startswith("acme-utils cannot be created: The project name acme-utils is")
    assert names() == ["acme-utils"]


def test_one_job_may_have_a_project_and_wait_for_another(
    app: Flask, clock: SettableClock, people: People, ana: User
) -> None:
    people.a_publisher(people.a_project("acme-utils", ana))
    people.a_pending("acme-charts", ana)

    status, body = mint(app, clock)

    assert (status, names()) == (200, ["acme-utils", "acme-charts"])
    assert upload(app, body["token"], a_wheel("acme-utils")).status_code == 200
    assert upload(app, body["token"], a_wheel("acme-charts")).status_code == 200
