"""With files in a cloud: sent from here in whole or in part, or by the cloud itself, and a word when it is away."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from adapters.clock import SettableClock
from domain.policy.principals import Grant
from models import DeletedRelease, Event, File, Project, Release, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import People
from tests.cloud import URL, Cloud
from tests.conftest import MakeApp
from tests.packages import a_wheel
from tests.uploading import authorized, upload


@pytest.fixture
def settings() -> dict[str, object]:
    """Further settings of the application; tests of signed addresses ask for them."""
    return {}


@pytest.fixture
def app(make_app: MakeApp, cloud: Cloud, settings: dict[str, object]) -> Iterator[Flask]:
    application = make_app(storage_url=URL, **settings)
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


@pytest.fixture
def token(app: Flask, people: People, ana: User) -> str:
    """Of ana, who has published a wheel."""
    found = people.a_token(ana)[1]
    assert upload(app, found, a_wheel()).status_code == 200
    return found


def get(app: Flask, *, method: str = "GET", **headers: str) -> TestResponse:
    """The wheel."""
    path = db.session.scalars(sa.select(File)).one().path
    db.session.rollback()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    with app.app_context():
        return app.test_client().open(path, method=method, base_url="http://localhost:8000", headers=sent)


def methods(cloud: Cloud) -> list[str]:
    return [method for method, *_ in cloud.asked]


def test_a_file_comes_whole_and_is_counted(app: Flask, token: str, clock: SettableClock) -> None:
    answer = get(app)

    assert (answer.status_code, answer.data) == (200, a_wheel().content)
    assert answer.headers["ETag"] == f'"{a_wheel().sha256}"'
    assert len(wiring_of(app).downloads.take()) == 1


def test_a_part_of_it_comes_alone(app: Flask, token: str) -> None:
    answer = get(app, Range="bytes=10-19")

    assert (answer.status_code, answer.data) == (206, a_wheel().content[10:20])
    assert answer.headers["Content-Range"] == f"bytes 10-19/{len(a_wheel().content)}"


def test_a_part_that_is_not_there_is_refused_without_fetching(app: Flask, token: str, cloud: Cloud) -> None:
    cloud.asked.clear()

    assert get(app, Range="bytes=99999999-").status_code == 416
    assert methods(cloud) == ["HEAD"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_somebody_has_already_is_not_fetched(app: Flask, token: str, cloud: Cloud, method: str) -> None:
    cloud.asked.clear()

    answer = get(app, method=method, If_None_Match=f'"{a_wheel().sha256}"')

    assert (answer.status_code, answer.data) == (304, b"")
    assert methods(cloud) == ["HEAD"]


def test_its_length_is_told_without_fetching(app: Flask, token: str, cloud: Cloud) -> None:
    cloud.asked.clear()

    answer = get(app, method="HEAD")

    assert answer.headers["Content-Length"] == str(len(a_wheel().content))
    assert methods(cloud) == ["HEAD"]


def test_readers_are_told_when_the_cloud_is_away(app: Flask, token: str, cloud: Cloud) -> None:
    cloud.fault = 403

    answer = get(app)

    assert answer.status_code == 503
    assert answer.status.startswith("503 Not at the moment. The files of this index are out of reach.")
    assert answer.mimetype == "text/plain"
    assert answer.headers["Retry-After"] == "60"


def test_an_upload_is_told_and_leaves_nothing(app: Flask, token: str, cloud: Cloud) -> None:
    cloud.fault = 503

    answer = upload(app, token, a_wheel(version="2.0"))

    assert answer.status.startswith("503 Not at the moment.")
    assert list(wiring_of(app).store.incoming.iterdir()) == []
    db.session.rollback()
    assert db.session.scalars(sa.select(Release.version)).all() == ["1.0"]
    cloud.fault = None
    assert upload(app, token, a_wheel(version="2.0")).status_code == 200


def test_a_person_gets_a_page(app: Flask, token: str, ana: User, cloud: Cloud) -> None:
    browser = Browser(app).sign_in(ana)
    browser.submit("/manage/project/acme-utils/release/1.0/delete", confirm="1.0")
    removed = db.session.scalars(sa.select(DeletedRelease.id)).one()
    cloud.fault = 403

    refused = browser.submit(f"/manage/project/acme-utils/releases/deleted/{removed}/restore", status=503)

    assert refused.h1 == "Not at the moment"
    assert db.session.scalars(sa.select(Event.tag).where(Event.tag == "project:release:restored")).all() == []


def test_verify_tells_of_what_it_cannot_read_and_goes_on(app: Flask, token: str, cloud: Cloud) -> None:
    upload(app, token, a_wheel(version="2.0"))
    cloud.fault = 403

    said = app.test_cli_runner().invoke(args=["verify", "--quick"])

    assert said.exit_code == 1
    assert said.output.count("its bytes cannot be read") >= 2
    assert "What belongs to nothing cannot be told" in said.output
    assert "never-told" not in said.output
    swept = app.test_cli_runner().invoke(args=["sweep"])
    assert (swept.exit_code, swept.exception.__class__) == (1, SystemExit)
    assert "The place of the files does not do what it is asked for" in swept.output


class TestSigned:
    """COUNTERSIGN_SIGNED_DOWNLOADS: the cloud sends the files itself."""

    @pytest.fixture
    def settings(self) -> dict[str, object]:
        return {"signed_downloads": 300}

    def test_whoever_may_read_is_sent_to_the_cloud_and_counted(self, app: Flask, token: str, cloud: Cloud) -> None:
        answer = get(app)

        assert answer.status_code == 302
        assert answer.headers["Location"].startswith(f"{cloud.url}/packages/kept/here/")
        assert "X-Amz-Expires=300" in answer.headers["Location"]
        assert answer.headers["Cache-Control"] == "public, max-age=150"
        assert answer.mimetype == "text/plain"
        assert len(wiring_of(app).downloads.take()) == 1

    def test_metadata_and_lengths_come_from_here(self, app: Flask, token: str, cloud: Cloud) -> None:
        file = db.session.scalars(sa.select(File)).one()
        beside = Browser(app).get(f"{file.path}.metadata")

        assert beside.status_code == 200
        assert get(app, method="HEAD").status_code == 200
        assert get(app, If_None_Match=f'"{file.sha256}"').status_code == 304

    def test_of_a_private_project_the_address_is_for_its_readers_alone(
        self, app: Flask, token: str, people: People, ana: User
    ) -> None:
        db.session.execute(sa.update(Project).values(is_private=True))
        db.session.commit()

        stranger, reader = get(app), get(app, **_basic(people.a_token(ana, "reads", grants=(Grant.READ,))[1]))

        assert stranger.status_code in (401, 404)
        assert reader.status_code == 302
        assert reader.headers["Cache-Control"] == "private, no-store"


def _basic(token: str) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in authorized(token).items()}
