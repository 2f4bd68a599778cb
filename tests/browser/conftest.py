"""What tests in a browser can ask for: Chromium, a live index, and pages that report what goes wrong in them."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.live import Live
from tests.browser.windows import open_window
from tests.conftest import unavailable

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",  # Chromium has none for root, which containers run as; it opens our own pages only
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for all tests of a process."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        unavailable("no Chromium is installed; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def live(tmp_path: Path, empty_database: Path) -> Iterator[Live]:
    """An index of this test's own."""
    shutil.copy(empty_database, tmp_path / "countersign.sqlite3")
    index = Live(tmp_path)
    yield index
    index.stop()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, live: Live) -> Iterator[OpenPage]:
    """Opens a window on the index; keyword arguments are those of Playwright's `new_context`.

    Whatever Chromium complains about in its console, a broken Content-Security-Policy above all, fails the test.
    """
    pages: list[Page] = []
    complaints: list[str] = []

    def open_one(**options: object) -> Page:
        pages.append(open_window(chromium, live.url, complaints, **options))
        return pages[-1]

    yield open_one
    for page in pages:
        page.context.close()
    assert complaints == []
