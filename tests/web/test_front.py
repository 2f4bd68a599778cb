"""The short cut to simple pages gives the very answers of the application, and only what is open to everybody."""

from itertools import product
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import Client, EnvironBuilder, TestResponse

from blueprints.simple.front import Front
from domain.policy.principals import Grant
from models import File, Project, User, db
from models.release import download_path
from tests.browsing import wiring_of
from tests.builders import People
from tests.conftest import MakeApp
from tests.crowds import statements
from tests.packages import a_wheel, an_sdist
from tests.uploading import authorized, upload

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

JSON, HTML = "application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html"
ACCEPTS = [None, JSON, HTML, "text/html", f"{JSON}, {HTML};q=0.1, text/html;q=0.01", "image/png", "\xff;q=9"]
CODINGS = [None, "gzip", "br, gzip;q=0.5", "zstd", "identity;q=0", "*"]
PATHS = [
    "/simple/",
    "/simple",
    "/simple/acme-utils/",
    "/simple/acme-utils",
    "/simple/Acme.Utils/",
    "/simple/only-reserved/",
    "/simple/quiet/",
    "/simple/missing/",
    "/simple//",
    "/simple/acme-utils//",
    "/simple/acme-utils/1.0/",
    "/simple/../simple/",
    "/simple/%00/",
    "/simple/acme%2Dutils/",
    "/simple/%C3%A4/",
    "/simple/" + "a" * 3_000 + "/",
]


@pytest.fixture
def ana(app: Flask, people: People) -> User:
    """Somebody with a project, a name that is only reserved, and a private project."""
    ana = people.a_member("ana")
    _, token = people.a_token(ana)
    upload(app, token, a_wheel())
    upload(app, token, an_sdist())
    upload(app, token, a_wheel("quiet", "1.0"))
    people.a_project("only-reserved", ana)
    db.session.execute(sa.update(Project).where(Project.name == "quiet").values(is_private=True))
    db.session.commit()
    return ana


def ask(application: "WSGIApplication", path: str, method: str = "GET", **headers: str) -> TestResponse:
    asked = EnvironBuilder(path, method=method, base_url="http://localhost:8000", headers=list(headers.items()))
    return Client(application).open(asked, buffered=True)


def told(answer: TestResponse) -> tuple[str, list[tuple[str, str]], bytes]:
    """All of an answer but its date, which the server adds."""
    return answer.status, sorted(header for header in answer.headers if header[0] != "Date"), answer.data


def front_of(app: Flask) -> Front:
    front = app.wsgi_app
    assert isinstance(front, Front)
    return front


def both(app: Flask, path: str, **asked: str) -> tuple[TestResponse, TestResponse]:
    """The answer of the front, and that of the application behind it."""
    front = front_of(app)
    db.session.rollback()
    with app.app_context():  # as for every request: what the one before it looked up is not there
        return ask(front, path, **asked), ask(front.beyond, path, **asked)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_it_answers_as_the_application_does(app: Flask, ana: User, path: str, method: str) -> None:
    is_kept = method in ("GET", "HEAD") and path in ("/simple/", "/simple/acme-utils/")
    for accept, coding in product(ACCEPTS, CODINGS) if is_kept else [(None, None), (JSON, "gzip"), ("text/html", "*")]:
        asked = {"Accept": accept, "Accept-Encoding": coding}
        headers = {name: value for name, value in asked.items() if value is not None}

        short, whole = both(app, path, method=method, **headers)

        assert told(short) == told(whole), headers


@pytest.mark.parametrize("path", ["/simple/", "/simple/acme-utils/"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_kept_already_is_not_sent_again(app: Flask, ana: User, path: str, coding: str, method: str) -> None:
    asked = {"method": method, "Accept-Encoding": coding}
    etag = both(app, path, **asked)[0].headers["ETag"]

    for kept, status in (
        (etag, 304),
        (f"W/{etag}", 304),
        (f'"x", {etag}', 304),
        ("*", 304),
        ('"x"', 200),
        ("", 200),
        ("x", 200),
    ):
        short, whole = both(app, path, **asked, **{"If-None-Match": kept})
        assert told(short) == told(whole), kept
        assert short.status_code == status, kept


def addresses() -> dict[str, str]:
    """Where each file is, by its name."""
    db.session.rollback()
    return {file.filename: download_path(file.sha256, file.filename) for file in db.session.scalars(sa.select(File))}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_files_are_sent_as_the_application_does(app: Flask, ana: User, method: str) -> None:
    whole_names = list(addresses().values())
    digest = whole_names[0].split("/")[2:5]
    odd = [
        "/packages/",
        "/packages/aa/bb/cc",
        f"/packages/{'/'.join(digest)}/other.whl",
        f"/packages/{''.join(digest)}/x",
    ]
    odd += [f"{path}/" for path in whole_names[:1]] + [path.upper() for path in whole_names[:1]]
    asked: list[dict[str, str]] = [
        {},
        {"Range": "bytes=0-3"},
        {"Range": "bytes=999999-"},
        {"If-None-Match": f'"{"".join(digest)}"'},
        {"If-None-Match": '"x"'},
        {"If-Match": '"x"'},
        {"If-Modified-Since": "Fri, 27 Nov 2099 00:00:00 GMT"},
        {"If-Range": '"x"', "Range": "bytes=0-3"},
        {"Accept-Encoding": "gzip", "Origin": "https://docs.example"},
    ]

    for path in [*whole_names, *(f"{path}.metadata" for path in whole_names), *odd]:
        for headers in asked if method in ("GET", "HEAD") else [{}]:
            short, whole = both(app, path, method=method, **headers)
            assert told(short) == told(whole), (path, headers)


def test_a_file_is_counted_once_whoever_sends_it(app: Flask, ana: User) -> None:
    path, tally = addresses()["acme_utils-1.0-py3-none-any.whl"], wiring_of(app).downloads
    front = front_of(app)

    for application in (front, front.beyond):
        tally.take()
        for method, headers in (("GET", {}), ("HEAD", {}), ("GET", {"Range": "bytes=0-3"})):
            ask(application, path, method, **headers)
        ask(application, f"{path}.metadata")
        assert [(key.version, count) for key, count in tally.take().items()] == [("1.0", 1)]


def test_a_file_whose_bytes_are_lost_is_for_the_application_to_explain(app: Flask, ana: User) -> None:
    path = addresses()["acme_utils-1.0-py3-none-any.whl"]
    wiring_of(app).store.remove("".join(path.split("/")[2:5]))

    short, whole = both(app, path)

    assert told(short) == told(whole)
    assert short.status_code == 500


@pytest.mark.parametrize("path", ["/simple/", "/simple/acme-utils/", "/simple/quiet/"])
def test_credentials_are_for_the_application_to_look_at(app: Flask, people: People, ana: User, path: str) -> None:
    _, token = people.a_token(ana, "reads", grants=(Grant.READ,))

    for headers in (authorized(token), {"Authorization": "Basic !"}, {"Authorization": ""}):
        short, whole = both(app, path, **headers)
        assert told(short) == told(whole)
    assert "quiet" in both(app, "/simple/", **authorized(token))[0].text


@pytest.mark.parametrize("host", ["evil.example", "", "localhost:1", "[::1]:8000", "localhost.evil.example", "a b"])
def test_another_host_is_for_the_application_to_refuse(app: Flask, ana: User, host: str) -> None:
    environ = EnvironBuilder("/simple/acme-utils/", base_url="http://localhost:8000").get_environ()
    environ["HTTP_HOST"] = host
    front = front_of(app)

    short, whole = (Client(one).open(dict(environ), buffered=True) for one in (front, front.beyond))

    assert told(short) == told(whole)


def test_a_page_costs_one_question_and_wakes_nobody(app: Flask, ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    front, file = front_of(app), addresses()["acme_utils-1.0-py3-none-any.whl"]
    ask(front, "/simple/")
    monkeypatch.setattr(front, "beyond", None)  # whoever calls it fails

    with statements() as ran:
        for path in ("/simple/", "/simple/acme-utils/", file, f"{file}.metadata"):
            assert ask(front, path).status_code == 200

    assert ran == []  # the one question is asked past the session


@pytest.mark.parametrize("path", ["/simple/", "/simple/acme-utils/"])
def test_where_only_members_read_it_answers_nothing(make_app: MakeApp, path: str) -> None:
    answer = ask(front_of(make_app(read_access="members")), path)

    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers


def test_what_is_made_private_is_gone_at_once(app: Flask, ana: User) -> None:
    assert both(app, "/simple/acme-utils/")[0].status_code == 200

    db.session.execute(sa.update(Project).where(Project.name == "acme-utils").values(is_private=True))
    db.session.commit()

    assert both(app, "/simple/acme-utils/")[0].status_code == 404
