"""How often a project is downloaded: counted where a whole file is sent, shown on its page."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from app import count_downloads
from blueprints.browse.download_chart import chart
from domain.index import downloads
from domain.index.downloads import Key
from models import DailyDownload, File, Project, User, db
from tests.browsing import Browser
from tests.builders import People
from tests.packages import a_wheel
from tests.uploading import upload

SVG = "{http://www.w3.org/2000/svg}"
PAGE = "/project/acme-utils/?tab=downloads"


@pytest.fixture
def ana(app: Flask, people: People) -> User:
    """Ana, who has uploaded a wheel."""
    member = people.a_member("ana")
    assert upload(app, people.a_token(member)[1], a_wheel()).status_code == 200
    return member


def wheel() -> str:
    db.session.rollback()
    return db.session.scalars(sa.select(File)).one().path


def counted(app: Flask) -> list[tuple[str, int]]:
    count_downloads(app)
    db.session.rollback()
    rows = sa.select(DailyDownload.version, DailyDownload.count)
    return [(version, count) for version, count in db.session.execute(rows)]


def test_a_file_that_is_sent_whole_counts(app: Flask, ana: User, browser: Browser) -> None:
    for _ in range(3):
        browser.get(wheel())

    assert counted(app) == [("1.0", 3)]
    assert counted(app) == [("1.0", 3)]


def test_what_sends_no_whole_file_does_not_count(app: Flask, ana: User, browser: Browser) -> None:
    path = wheel()
    head = browser.client.head(path, base_url=browser.base_url, buffered=True)

    answers = [
        browser.get(f"{path}.metadata"),
        browser.get(path, headers={"Range": "bytes=0-9"}),
        browser.get(path, headers={"If-None-Match": head.headers["ETag"]}),
        browser.get(f"{path}x"),
    ]

    assert [answer.status_code for answer in (head, *answers)] == [200, 200, 206, 304, 404]
    assert counted(app) == []


def test_nothing_of_who_it_was_is_kept(app: Flask, ana: User, browser: Browser) -> None:
    browser.get(wheel(), headers={"User-Agent": "pip/26 someone"})
    counted(app)

    assert set(DailyDownload.__table__.columns.keys()) == {"project_id", "day", "version", "count"}


def test_what_cannot_be_written_down_now_is_counted_on(app: Flask, ana: User, browser: Browser) -> None:
    browser.get(wheel())
    db.session.rollback()
    db.session.execute(sa.text("ALTER TABLE daily_download RENAME TO away"))
    db.session.commit()
    with pytest.raises(sa.exc.OperationalError):
        count_downloads(app)
    db.session.rollback()
    db.session.execute(sa.text("ALTER TABLE away RENAME TO daily_download"))
    db.session.commit()

    assert counted(app) == [("1.0", 1)]


def test_the_page_has_a_plot_and_the_same_in_figures(
    app: Flask, ana: User, browser: Browser, clock: SettableClock
) -> None:
    today = clock.now().date()
    project = db.session.scalars(sa.select(Project)).one()
    days = {0: 1_200, 3: 40, 89: 2, 90: 7}
    downloads.keep(
        db.session(), {Key(project.id, today - timedelta(days=ago), "1.0"): count for ago, count in days.items()}
    )
    db.session.commit()

    page = browser.page(PAGE)

    assert "1,242 downloads in the last 90 days." in page.text
    plot = page.root.find(f".//{SVG}path[@class='chart__bars']")
    assert plot is not None
    assert plot.get("d", "").count("M") == 3
    tables = ["".join(table.itertext()) for table in page.root.findall(".//table")]
    assert ["1,242" in text for text in tables] == [True, False]
    assert "40" in tables[1]


def test_without_a_download_it_says_so(ana: User, browser: Browser) -> None:
    assert "No file of this project was downloaded in the last 90 days." in browser.page(PAGE).text


def test_before_a_project_is_deleted_its_downloads_are_told(app: Flask, ana: User, browser: Browser) -> None:
    browser.sign_in(ana)
    before = browser.page("/manage/project/acme-utils/settings/delete").text
    browser.get(wheel())
    count_downloads(app)

    assert "downloaded" not in before
    assert (
        "It was downloaded once in the last thirty days."
        in browser.page("/manage/project/acme-utils/settings/delete").text
    )


@pytest.mark.parametrize(
    ("most", "marks"),
    [(0, "0 1 2"), (2, "0 1 2"), (3, "0 2 4"), (11, "0 10 20"), (41, "0 50 100"), (4_001, "0 5,000 10,000")],
)
def test_the_axis_ends_in_round_numbers(most: int, marks: str) -> None:
    first = date(2026, 8, 27)

    drawn = chart({first: most} if most else {}, first=first, days=90)

    assert " ".join(line.text for line in drawn.lines) == marks
    assert [tick.day for tick in drawn.days] == [first + timedelta(days=number) for number in (0, 30, 59, 89)]
