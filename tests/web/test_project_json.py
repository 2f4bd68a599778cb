"""What PyPI's JSON says of a project, for programs that read it here."""

import orjson
import pytest
from flask import Flask

from adapters.clock import SettableClock
from models import Project, User, db
from tests.browsing import Browser
from tests.builders import People
from tests.crowds import many_releases, statements
from tests.packages import a_metadata, a_wheel, an_sdist
from tests.uploading import upload

HERE = "/pypi/acme-utils/json"


@pytest.fixture
def token(app: Flask, people: People) -> str:
    """A token of Ana's, with which acme-utils 1.0 and 1.1rc1 were uploaded."""
    _, text = people.a_token(people.a_member("ana"))
    metadata = a_metadata(
        Summary="Small helpers",
        Requires_Python=">=3.11",
        Requires_Dist=["attrs>=24"],
        Classifier=["Typing :: Typed"],
        Keywords="retry,clock",
        Project_URL=["Source, https://git.example/acme"],
    )
    for package in (a_wheel(metadata=metadata), an_sdist(), a_wheel(version="1.1rc1")):
        assert upload(app, text, package).status_code == 200
    return text


def test_the_newest_release_stands_for_the_project(browser: Browser, token: str) -> None:
    answer = browser.get(HERE)
    page = orjson.loads(answer.data)

    assert answer.mimetype == "application/json"
    info = page["info"]
    assert (info["name"], info["version"], info["summary"]) == ("acme-utils", "1.0", "Small helpers")
    assert info["requires_python"] == ">=3.11"
    assert info["requires_dist"] == ["attrs>=24"]
    assert info["classifiers"] == ["Typing :: Typed"]
    assert info["keywords"] == "retry,clock"
    assert info["project_urls"] == {"Source": "https://git.example/acme"}
    assert info["release_url"] == "http://localhost:8000/project/acme-utils/1.0/"
    assert (info["yanked"], info["yanked_reason"]) == (False, None)
    assert page["ownership"] == {"organization": None, "roles": [{"user": "ana", "role": "Owner"}]}
    assert page["vulnerabilities"] == []
    assert [file["filename"] for file in page["urls"]] == [
        "acme_utils-1.0-py3-none-any.whl",
        "acme_utils-1.0.tar.gz",
    ]
    assert list(page["releases"]) == ["1.0", "1.1rc1"]
    assert page["releases"]["1.0"] == page["urls"]


def test_a_file_can_be_fetched_by_what_stands_there(browser: Browser, token: str) -> None:
    wheel, sdist = orjson.loads(browser.get(HERE).data)["urls"]

    assert (wheel["packagetype"], wheel["python_version"]) == ("bdist_wheel", "py3")
    assert (sdist["packagetype"], sdist["python_version"]) == ("sdist", "source")
    assert wheel["upload_time"] == "2026-11-22T14:05:10"
    assert wheel["upload_time_iso_8601"] == "2026-11-22T14:05:10.000000Z"
    fetched = browser.get(wheel["url"])
    assert len(fetched.data) == wheel["size"]
    assert set(wheel["digests"]) == {"sha256", "blake2b_256"}


def test_one_release_has_its_own_page_and_no_others(browser: Browser, token: str) -> None:
    page = orjson.loads(browser.get("/pypi/acme-utils/1.1rc1/json").data)

    assert page["info"]["version"] == "1.1rc1"
    assert len(page["urls"]) == 1
    assert "releases" not in page


def test_a_yank_is_said_of_the_release_and_its_files(browser: Browser, people: People, app: Flask) -> None:
    ana = people.a_member("ana")
    project = people.a_project("acme-utils", ana)
    people.a_release(project, "1.0", by=ana, yanked_at=ana.registered_at).yanked_reason = "It loses data."
    db.session.commit()

    page = orjson.loads(browser.get(HERE).data)

    assert (page["info"]["yanked"], page["info"]["yanked_reason"]) == (True, "It loses data.")
    assert [file["yanked"] for file in page["urls"]] == [True]


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/pypi/Acme.Utils/json", HERE),
        ("/pypi/Acme_Utils/1.0/json", "/pypi/acme-utils/1.0/json"),
        ("/pypi/acme-utils/1.0.0/json", "/pypi/acme-utils/1.0/json"),
    ],
)
def test_other_spellings_lead_to_the_one(browser: Browser, token: str, path: str, to: str) -> None:
    answer = browser.get(path)

    assert (answer.status_code, answer.headers["Location"]) == (301, to)


@pytest.mark.parametrize(
    "path",
    [
        "/pypi/ghost/json",
        "/pypi/acme-utils/9/json",
        "/pypi/acme-utils/not-a-version/json",
        "/pypi/%00/json",
        "/pypi/acme-utils/%00/json",
        "/pypi/buoy/json",  # reserved, and nothing published
        f"/pypi/{'x' * 300}/json",
    ],
)
def test_what_is_not_there_is_said_in_json(browser: Browser, token: str, people: People, path: str) -> None:
    people.a_project("buoy", people.a_member("bo"))

    answer = browser.get(path)

    assert (answer.status_code, orjson.loads(answer.data)) == (404, {"message": "Not Found"})


def test_asking_again_costs_a_304_until_something_changes(browser: Browser, token: str, app: Flask) -> None:
    first = browser.get(HERE)
    again = browser.get(HERE, headers={"If-None-Match": first.headers["ETag"]})
    upload(app, token, an_sdist(version="1.1"))
    changed = browser.get(HERE, headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")
    assert changed.status_code == 200
    assert "Set-Cookie" not in first.headers
    assert first.headers["Content-Security-Policy"].startswith("sandbox;")
    assert browser.client.head(HERE, base_url="http://localhost:8000").data == b""


def test_a_thousand_releases_take_as_many_statements_as_one(
    browser: Browser, people: People, clock: SettableClock
) -> None:
    ana: User = people.a_member("ana")
    project: Project = people.a_project("acme-utils", ana)
    people.a_release(project, "0.1", by=ana)
    with statements() as few:
        browser.get(HERE)

    many_releases(1_000, project=project, now=clock.now())
    with statements() as many:
        answer = browser.get(HERE)

    assert len(orjson.loads(answer.data)["releases"]) == 1_001
    assert len(many) == len(few) <= 8
