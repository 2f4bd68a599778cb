"""A project with a thousand releases: pages of fifty, and a constant number of statements."""

import pytest
import sqlalchemy as sa
from packaging.version import Version

from domain.index.versions import version_key
from models import File, Project, Release, User, db
from tests.browsing import Browser
from tests.builders import People

LIST, PUBLIC = "/manage/project/acme-utils/releases/", "/project/acme-utils/"


def with_releases(people: People, ana: User, how_many: int) -> None:
    """A project with so many releases of one file each."""
    acme = people.a_project("acme-utils", ana)
    now = acme.created_at
    for number in range(how_many):
        version = f"1.{number}"
        release = Release(
            project_id=acme.id,
            version=version,
            version_key=version_key(Version(version)),
            is_prerelease=False,
            created_at=now,
            uploaded_by_id=ana.id,
            core_metadata={},
            description_html="<p>Long.</p>" * 300,
        )
        digest = f"{number:064x}"
        release.files = [
            File(
                filename=f"acme_utils-{version}-py3-none-any.whl",
                kind="bdist_wheel",
                tags="Wheel",
                size_bytes=1,
                sha256=digest,
                blake2_256=digest,
                uploaded_at=now,
            )
        ]
        db.session.add(release)
    db.session.commit()


def statements(browser: Browser, path: str) -> int:
    """How many statements a page takes."""
    seen: list[str] = []

    def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
        seen.append(statement)

    engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", count)
    try:
        browser.page(path)
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)
    return len(seen)


def test_every_release_stands_on_one_page_the_highest_first(browser: Browser, people: People) -> None:
    ana = people.a_member("ana")
    with_releases(people, ana, 120)
    browser.sign_in(ana)

    assert walked(browser, LIST, "/manage/project/acme-utils/release/1.") == list(reversed(range(120)))
    assert walked(browser, f"{PUBLIC}?tab=history", f"{PUBLIC}1.") == list(reversed(range(120)))


def walked(browser: Browser, path: str | None, mark: str) -> list[int]:
    """The minor versions that a list links to, page after page."""
    seen: list[int] = []
    while path is not None:
        links = browser.page(path).links()
        minors = [link.removeprefix(mark).rstrip("/") for link in links if link.startswith(mark)]
        seen.extend(dict.fromkeys(int(minor) for minor in minors if minor.isdecimal()))
        path = next((link for link in links if "before=" in link), None)
    return seen


@pytest.mark.parametrize("before", ["nonsense", "%00", "", "1" * 300])
def test_a_bad_key_gives_the_first_page(browser: Browser, people: People, before: str) -> None:
    ana = people.a_member("ana")
    with_releases(people, ana, 3)
    browser.sign_in(ana)

    assert "1.2" in browser.page(f"{LIST}?before={before}").text
    assert "1.2" in browser.page(f"{PUBLIC}?tab=history&before={before}").text


def test_a_thousand_releases_are_as_few_statements_as_sixty(browser: Browser, people: People) -> None:
    ana = people.a_member("ana")
    with_releases(people, ana, 60)
    browser.sign_in(ana)
    paths = [LIST, f"{LIST}?before=1.55", PUBLIC, f"{PUBLIC}?tab=history", f"{PUBLIC}1.7/"]
    browser.page(LIST)  # the first page after signing in also settles the session
    few = {path: statements(browser, path) for path in paths}
    db.session.execute(sa.delete(Project))
    db.session.commit()
    with_releases(people, ana, 1000)

    assert {path: statements(browser, path) for path in paths} == few
