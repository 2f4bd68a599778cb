"""A token for one new project: its first upload creates the project, and from then on it reaches that one alone."""

import pytest
import sqlalchemy as sa
from flask import Flask

from models import ApiToken, Project, User, db
from tests.builders import People
from tests.packages import a_wheel, an_sdist
from tests.uploading import upload


@pytest.fixture
def ana(people: People) -> User:
    """Somebody with a project already."""
    user = people.a_member("ana")
    people.a_project("tide-tables", user)
    return user


@pytest.fixture
def text(people: People, ana: User) -> str:
    """A token of hers for one new project."""
    return people.a_token(ana, projects=(), creates_project=True)[1]


def the_token() -> ApiToken:
    db.session.rollback()
    return db.session.scalars(sa.select(ApiToken)).one()


def test_the_first_upload_creates_the_project_and_binds_the_token_to_it(app: Flask, text: str) -> None:
    first, second = upload(app, text, a_wheel()), upload(app, text, an_sdist())

    assert (first.status, second.status) == ("200 OK", "200 OK")
    token = the_token()
    assert [project.name for project in token.projects] == ["acme-utils"]
    assert not token.creates_project
    assert token.last_used_project == token.projects[0]


def test_no_second_project_is_created_with_it(app: Flask, text: str) -> None:
    upload(app, text, a_wheel())

    answer = upload(app, text, a_wheel("buoy"))

    assert answer.status == "403 This API token does not allow you to create a project here."
    assert db.session.scalars(sa.select(Project.name).order_by(Project.name)).all() == ["acme-utils", "tide-tables"]


def test_a_project_of_its_owner_is_out_of_its_reach(app: Flask, text: str) -> None:
    answer = upload(app, text, a_wheel("tide_tables"))

    assert answer.status_code == 403
    assert the_token().creates_project


def test_an_upload_that_is_refused_leaves_it_as_it_was(app: Flask, text: str) -> None:
    answer = upload(app, text, a_wheel("tide_tab1es"))  # too like another name

    assert answer.status_code == 400
    token = the_token()
    assert (token.creates_project, token.projects) == (True, [])


def test_when_its_project_is_deleted_it_reaches_nothing_and_creates_nothing(app: Flask, text: str) -> None:
    upload(app, text, a_wheel())
    db.session.execute(sa.delete(Project).where(Project.name == "acme-utils"))
    db.session.commit()

    answer = upload(app, text, a_wheel("buoy"))

    assert answer.status_code == 403
    assert the_token().projects == []
