"""Every page, light and dark, on a phone and on a desk: axe finds nothing, and nothing scrolls sideways."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page

from tests.browser.conftest import OpenPage
from tests.browser.live import Live
from tests.browser.newcomer import Newcomer
from tests.browser.places import PLACES, Place
from tests.browser.town import Town

pytestmark = pytest.mark.browser

WIDTHS = (320, 1280)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
RUN_AXE = """async rules => {
    const found = await axe.run({resultTypes: ["violations"], ...(rules ? {runOnly: rules} : {})});
    return found.violations.map(each => `${each.impact} ${each.id}: ${each.nodes.map(node => node.target).join(", ")}`);
}"""
SIDEWAYS = "document.documentElement.scrollWidth"


@pytest.fixture(scope="module")
def town(chromium: Chromium, empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One index for all places."""
    folder = tmp_path_factory.mktemp("town")
    shutil.copy(empty_database, folder / "countersign.sqlite3")
    index = Live(folder)
    town = Town(index, chromium)
    yield town
    town.leave()
    index.stop()


def faults(page: Page) -> list[str]:
    """What is wrong with a page in any of its four looks; it is loaded once."""
    page.evaluate("async () => { await document.fonts.ready; }")  # a page is as wide as its letters
    page.evaluate(AXE_SCRIPT)
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        sideways = page.evaluate(SIDEWAYS)
        if sideways > width:
            found.append(f"{width}: scrolls sideways to {sideways}")
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            rules = None if scheme == "light" else ["color-contrast"]  # the dark changes colours and nothing else
            found += [f"{width} {scheme}: {fault}" for fault in page.evaluate(RUN_AXE, rules)]
    return found


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_page_is_without_fault_in_all_its_looks(town: Town, place: Place) -> None:
    page = town.visit(place)

    assert page.get_by_role("heading", level=1).count() == 1
    assert faults(page) == []
    assert town.complaints() == []


def test_the_pages_of_enrolment_are_without_fault_in_all_their_looks(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    newt = Newcomer(page, live)
    steps = (
        newt.open_front_page,
        newt.open_sign_up,
        newt.sign_up,
        newt.open_mail,
        newt.verify_address,
        newt.fill_token_form,
        newt.be_stopped,
        newt.choose_app,
        newt.read_qr,
        newt.type_code,
        newt.note_codes,
        newt.prove_codes,
        newt.go_on,
        newt.create_token,
    )

    found = {}
    for step in steps:
        step()
        found[step.__name__] = faults(page)

    assert {name: each for name, each in found.items() if each} == {}
    assert page.locator("#token").is_visible()


def test_the_page_of_a_broken_server_is_without_fault(chromium: Chromium, tmp_path: Path) -> None:
    index = Live(tmp_path)  # an empty database, without one table
    page = chromium.new_page()

    answer = page.goto(index.url)
    found = faults(page)
    page.close()
    index.stop()

    assert answer is not None
    assert answer.status == 500
    assert found == []


def test_faults_are_found(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/help/")
    page.evaluate("document.querySelector('main').innerHTML = '<h1>x</h1><img><pre>' + 'wide'.repeat(99)")

    found = faults(page)

    assert any("image-alt" in fault for fault in found)
    assert any("scrolls sideways" in fault for fault in found)
