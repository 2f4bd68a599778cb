"""`make docs`: takes a picture of each feature's page in four looks: wide and narrow, light and dark."""

from io import BytesIO

from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, Page

from docs.pictures.paper import FOLDER, keep
from tests.browser.places import PLACES, Place
from tests.browser.town import populate

PAGES = {
    "projects": "projects",
    "project-settings": "settings of a project",
    "project-delete": "delete a project",
    "project-transfer": "take a project over",
    "downloads": "downloads of a project",
    "releases": "releases",
    "release-delete": "delete a release",
    "tokens": "tokens",
    "people": "people",
    "organization": "people of an organization",
    "team": "team",
    "publishing": "publishing",
    "pending-publishers": "pending publishers",
    "issuers": "issuers",
    "history": "history of a project's management",
    "account-delete": "delete the account, as the only owner",
}
LOOKS = ((1280, "light"), (1280, "dark"), (320, "light"), (320, "dark"))
MOST_HIGH = 1600  # pixels of a page that are shown
GAP = 24
SCALE = 0.5


def take(app: Flask, browser: Browser, url: str) -> None:
    """Fill the index of this application, and take all pictures from it. url: where it is served."""
    with app.app_context():
        cookies, words = populate(app)
    places = {place.name: place for place in PLACES}
    for name, page_name in PAGES.items():
        place = places[page_name]
        context = browser.new_context(base_url=url)
        hers = cookies.get(place.who, {})
        context.add_cookies([{"name": key, "value": value, "url": url} for key, value in hers.items()])
        page = context.new_page()
        looks = [_look(page, place, words, width, scheme) for width, scheme in LOOKS]
        context.close()
        keep(_beside(looks), FOLDER / f"{name}.png")
    browser.close()


def _look(page: Page, place: Place, words: dict[str, str], width: int, scheme: str) -> Image.Image:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
    page.goto(place.path.format(**words))
    with Image.open(BytesIO(page.screenshot(full_page=True))) as picture:
        return picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, MOST_HIGH)))


def _beside(looks: list[Image.Image]) -> Image.Image:
    """All looks in one row, half as large."""
    size = sum(look.width for look in looks) + GAP * (len(looks) - 1), max(look.height for look in looks)
    row, left = Image.new("RGB", size, "white"), 0
    for look in looks:
        row.paste(look, (left, 0))
        left += look.width + GAP
    return row.resize((int(row.width * SCALE), int(row.height * SCALE)), Image.Resampling.LANCZOS)
