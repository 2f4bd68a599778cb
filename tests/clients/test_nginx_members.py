"""An index for members behind nginx: strangers are refused by the application, and members get pages from the tree."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.policy.principals import Grant
from models import Event, File, db
from tests.clients.site import FIREFOX, JSON, PAGE, PIP, Site
from tests.packages import a_wheel
from tests.uploading import authorized

pytestmark = pytest.mark.clients


@pytest.mark.parametrize("credentials", [None, "Basic !!!", "Bearer x", "unknown"])
@pytest.mark.parametrize("accept", [PIP, "text/html", FIREFOX])
def test_strangers_get_the_applications_refusal_whether_there_is_such_a_page_or_not(
    club: Site, credentials: str | None, accept: str
) -> None:
    value = authorized("csn_nothing")["Authorization"] if credentials == "unknown" else credentials
    headers = {"Accept": accept, **({"Authorization": value} if value is not None else {})}
    paths = (PAGE, "/simple/nothing-here/", "/simple/")

    answers = [club.ask(path, **headers) for path in paths]

    assert [answer.status for answer in answers] == [401] * 3
    assert [answer.told for answer in answers] == [club.ask_behind(path, **headers).told for path in paths]
    assert len({str(answer.told) for answer in answers}) == 1
    challenges = [value for name, value in answers[0].headers if name == "WWW-Authenticate"]
    assert challenges == ['Basic realm="Countersign"']


@pytest.mark.parametrize("accept", [PIP, "text/html"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_members_are_answered_from_the_tree_as_by_the_application(club: Site, accept: str, coding: str) -> None:
    headers = {"Accept": accept, "Accept_Encoding": coding, "Authorization": authorized(club.reads)["Authorization"]}

    by_nginx, behind = club.ask(PAGE, **headers), club.ask_behind(PAGE, **headers)

    assert by_nginx.told == behind.told
    assert by_nginx.is_from_the_tree
    assert by_nginx["Cache-Control"] == "private, no-cache"
    assert club.ask(PAGE, **headers, If_None_Match=by_nginx["ETag"]).status == 304


def test_members_get_the_list_and_what_is_to_be_weighed_from_the_application(club: Site) -> None:
    credentials = authorized(club.reads)["Authorization"]
    for path, accept in [("/simple/", PIP), (PAGE, FIREFOX), ("/simple/Acme_Utils/", PIP), ("/simple/none-such/", PIP)]:
        by_nginx = club.ask(path, Accept=accept, Authorization=credentials)

        assert by_nginx.told == club.ask_behind(path, Accept=accept, Authorization=credentials).told
        assert not by_nginx.is_from_the_tree


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("is_member", [True, False])
def test_whatever_does_not_read_is_the_applications_to_answer(club: Site, method: str, is_member: bool) -> None:
    headers = {
        "Content_Length": "0",
        **({"Authorization": authorized(club.reads)["Authorization"]} if is_member else {}),
    }

    assert club.ask(PAGE, method, **headers).told == club.ask_behind(PAGE, method, **headers).told


def test_a_token_that_may_not_read_is_refused_in_words_and_leaves_one_event(club: Site) -> None:
    credentials = authorized(club.token)["Authorization"]

    def refusals() -> int:
        with club.app.app_context():
            counted = sa.select(sa.func.count()).select_from(Event).where(Event.tag.like("gate:%"))
            return db.session.scalar(counted) or 0

    before = refusals()
    answer = club.ask(PAGE, Accept=PIP, Authorization=credentials)

    assert answer.status == 403
    assert answer.reason.startswith("This API token was not made for reading")
    assert refusals() == before + 1


@pytest.mark.parametrize(
    "path",
    [
        "/members/simple/acme-utils/index.json",
        "/members/",
        "/%6dembers/simple/acme-utils/index.json",
        "/simple/../members/simple/acme-utils/index.json",
        "/open/simple/acme-utils/index.json",
        "/_files/",
    ],
)
def test_no_stranger_comes_to_the_pages_another_way(club: Site, path: str) -> None:
    answer = club.ask(path, Accept=JSON)

    member = club.ask(path, Accept=JSON, Authorization=authorized(club.reads)["Authorization"])

    assert answer.status in (303, 401, 404)
    assert b"acme_utils" not in answer.body
    assert not member.is_from_the_tree


def test_a_project_that_turns_private_is_no_project_to_other_members(club: Site) -> None:
    club.publish("deep-sea")
    with club.app.app_context():
        people = club.people()
        other = people.a_token(people.a_member("bo"), "reader", grants=(Grant.READ,))[1]
        db.session.commit()
    credentials = authorized(other)["Authorization"]
    before = club.ask("/simple/deep-sea/", Accept=PIP, Authorization=credentials)
    club.as_ana("/manage/project/deep-sea/settings/readers", is_private="yes")
    after = club.ask("/simple/deep-sea/", Accept=PIP, Authorization=credentials)
    nothing = club.ask("/simple/nothing-here/", Accept=PIP, Authorization=credentials)

    assert before.is_from_the_tree
    assert (after.status, after.told) == (404, nothing.told)


def test_files_are_for_members_too(club: Site) -> None:
    with club.app.app_context():
        path = db.session.scalars(sa.select(File).where(File.filename == a_wheel().filename)).one().path

    stranger = club.ask(path)
    member = club.ask(path, Authorization=authorized(club.reads)["Authorization"])

    assert stranger.status == 401
    assert (member.status, member.body) == (200, a_wheel().content)
    assert member["Cache-Control"].startswith("private, ")
    assert "Authorization" in member["Vary"]


def test_while_the_application_is_down_nobody_gets_a_page_for_members_and_everybody_an_open_one(
    tmp_path: Path, nginx: None
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "club").mkdir()
    answers = {}
    for name, settings in {"open": {}, "club": {"COUNTERSIGN_READ_ACCESS": "members"}}.items():
        site = Site(tmp_path / name, **settings)
        try:
            site.publish("acme-utils")
            site.index.stop()
            answers[name] = site.ask(PAGE, Accept=JSON, Authorization=authorized(site.reads)["Authorization"])
        finally:
            site.stop()

    assert answers["open"].is_from_the_tree
    assert answers["club"].status == 502
    assert b"acme_utils" not in answers["club"].body


def test_an_index_that_is_closed_gives_strangers_nothing_of_what_was_open(tmp_path: Path, nginx: None) -> None:
    (tmp_path / "open").mkdir()
    site = Site(tmp_path / "open")
    try:
        site.publish("acme-utils")
        was_open = site.ask(PAGE, Accept=JSON)
        site.close()

        assert was_open.is_from_the_tree
        assert not (site.pages / "open").exists()
    finally:
        site.stop()
