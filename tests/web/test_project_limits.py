"""The operator gives one project limits of its own."""

import random
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from blueprints.wiring import EXTENSION
from domain.index import project_limits, quotas
from domain.index.digests import FileTooLarge
from domain.index.upload_rules import UploadRules
from domain.policy.actions import Action
from domain.policy.decision import PermitMismatch
from domain.policy.principals import Operator
from domain.policy.targets import Target
from models import Event, Project, db
from tests.browsing import Browser, wiring_of
from tests.builders import People
from tests.letters import letters, notices_to
from tests.packages import Package, a_wheel
from tests.permits import permit_for, permit_of
from tests.uploading import upload

MEGABYTE = 1_000_000
NOISE = {"noise.bin": random.Random(5).randbytes(2 * MEGABYTE)}  # noqa: S311 - noise, not a secret


def run(app: Flask, *words: str, code: int = 0) -> str:
    db.session.rollback()
    result = app.test_cli_runner().invoke(args=["projects", "limit", *words])
    assert result.exit_code == code, result.output
    db.session.expire_all()
    return result.output


def a_file_of(megabytes: int, name: str = "acme_utils") -> Package:
    """Not a wheel, which is said only of what is not too large."""
    return Package(f"{name}-1.0-py3-none-any.whl", bytes(megabytes * MEGABYTE))


def test_owners_are_told_and_the_history_says_so(app: Flask, people: People, browser: Browser) -> None:
    ana = people.a_member("ana")
    people.a_project("Acme.Utils", ana, maintainers=(people.a_member("mo"),))

    out = run(app, "acme-utils", "--max-file-mb", "300", "--max-project-gb", "20")

    assert out == "Acme.Utils takes files of up to 300 MB, and 20 GB in all.\n"
    [letter] = letters()
    assert (letter.to, letter.notice) == ("ana@mail.example", "project-limits")
    assert "files of up to 300 MB, and 20 GB in all" in letter.text
    assert notices_to("mo@mail.example") == []
    event = db.session.scalars(sa.select(Event).where(Event.tag == "project:limits:set")).one()
    assert (event.actor_id, event.details["file"], event.details["total"]) == (None, "300 MB", "20 GB")
    browser.sign_in(ana)
    page = browser.page("/manage/project/acme-utils/history/")
    assert "Limits of Acme.Utils set: 300 MB for a file, 20 GB in all" in page.text


def test_what_is_left_out_is_as_for_all_others(app: Flask, people: People) -> None:
    people.a_project("acme-utils", people.a_member("ana"))
    run(app, "acme-utils", "--max-file-mb", "300", "--max-project-gb", "20")

    assert (
        run(app, "acme-utils", "--max-project-gb", "30")
        == "acme-utils takes files of up to 100 MB, and 30 GB in all.\n"
    )
    assert run(app, "acme-utils") == "acme-utils takes files of up to 100 MB, and 10 GB in all.\n"


def test_a_larger_file_is_taken_for_that_project_alone(app: Flask, people: People) -> None:
    ana = people.a_member("ana")
    _, token = people.a_token(ana)
    for name in ("acme-utils", "other"):
        people.a_project(name, ana)
    db.session.commit()
    allowed, other = a_wheel(extra=NOISE), a_wheel("other", extra=NOISE)
    app.extensions[EXTENSION] = replace(wiring_of(app), upload_rules=UploadRules(max_file_bytes=MEGABYTE))
    assert upload(app, token, allowed).status == "400 File too large. Limit is 1 MB."

    run(app, "acme-utils", "--max-file-mb", "3")

    assert upload(app, token, allowed).status == "200 OK"
    assert upload(app, token, other).status == "400 File too large. Limit for project 'other' is 1 MB."
    assert upload(app, token, a_file_of(4)).status == "400 File too large. Limit is 3 MB."


def test_a_file_is_too_large_for_the_limit_of_its_project() -> None:
    rules = UploadRules()
    larger = Project(name="a", max_file_bytes=300 * MEGABYTE, max_total_bytes=20 * 10**9)
    smaller = Project(name="b", max_file_bytes=MEGABYTE, max_total_bytes=None)

    assert quotas.limits_of(larger, rules) == quotas.Limits(300 * MEGABYTE, 20 * 10**9)
    assert quotas.limits_of(smaller, rules) == quotas.Limits(MEGABYTE, 10 * 10**9)


def test_a_smaller_limit_is_told_with_the_project(app: Flask, people: People) -> None:
    ana = people.a_member("ana")
    project = people.a_project("acme-utils", ana)
    db.session.commit()

    with pytest.raises(FileTooLarge, match=r"File too large\. Limit for project 'acme-utils' is 100 MB"):
        quotas.check(db.session(), project, UploadRules(), more_bytes=101 * MEGABYTE)


@pytest.mark.parametrize("words", [("--max-file-mb", "0"), ("--max-project-gb", "x"), ("--max-file-mb", "9" * 30)])
def test_a_limit_that_is_none_changes_nothing(app: Flask, people: People, words: tuple[str, str]) -> None:
    people.a_project("acme-utils", people.a_member("ana"))

    run(app, "acme-utils", *words, code=2)

    assert letters() == []
    assert db.session.scalars(sa.select(Project.max_file_bytes)).all() == [None]


def test_a_project_that_there_is_not_is_said(app: Flask) -> None:
    assert "There is no project 'nothing' on this index." in run(app, "nothing", code=1)


def test_a_permit_for_another_project_sets_no_limit(app: Flask, people: People, clock: SettableClock) -> None:
    ana = people.a_member("ana")
    project, other = people.a_project("acme-utils", ana), people.a_project("other", ana)
    wrong = [
        permit_of(Operator(), Action.LIMIT_PROJECT, Target(other, "other"), now=clock.now()),
        permit_for(ana, Action.ARCHIVE_PROJECT, project, now=clock.now()),
    ]

    for permit in wrong:
        with pytest.raises(PermitMismatch):
            project_limits.set_limits(
                db.session(),
                permit,
                wiring_of(app).notices,
                project,
                file_bytes=1,
                total_bytes=1,
                rules=UploadRules(),
                now=clock.now(),
            )

    assert (project.max_file_bytes, project.max_total_bytes) == (None, None)
