"""`make docs`: takes the pictures of README and docs from the running application, in a temporary folder."""

import logging
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import flask_migrate
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from adapters.clock import SettableClock
from adapters.mail import MemoryMailer
from app import create_app
from blueprints import wiring
from config import Settings
from docs.pictures import features
from docs.pictures.paper import FOLDER, keep
from models import Mail, db

HOST = "index.example"
WIDTH = 1280  # pixels
SHOWN_AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)  # fixed, so that pictures differ only where pages do
PASSWORD = "tide tables of 1912, bound"


def main() -> int:
    """Take the red banner, light and dark, and each feature in four looks; 1 if there is no Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("`make docs` needs Chromium: apt-get install chromium")
        return 1
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with sync_playwright() as playwright:

        def launch(port: int) -> Browser:
            rules = f"--host-resolver-rules=MAP {HOST} 127.0.0.1:{port}"
            arguments = ["--no-sandbox", "--disable-gpu", "--disable-features=HttpsUpgrades", rules]
            return playwright.chromium.launch(executable_path=chromium, args=arguments)

        with _index() as (app, port):
            _take_red_banner(app, launch(port))
        with _index() as (app, port):
            features.take(app, launch(port), f"http://{HOST}")
    return 0


def _take_red_banner(app: Flask, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": WIDTH, "height": 800}, base_url=f"http://{HOST}")
    _register(app, page)
    page.goto("/manage/account/token/")
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme="light" if colours == "light" else "dark")
        keep(_opened(page.screenshot(full_page=True)), FOLDER / f"red-banner-{colours}.png")
    browser.close()


@contextmanager
def _index() -> Iterator[tuple[Flask, int]]:
    """An empty index, and the port where it is served."""
    with tempfile.TemporaryDirectory(prefix="countersign-pictures-") as folder:
        app = _application(Path(folder))
        with _served(app) as port:
            yield app, port


def _application(folder: Path) -> Flask:
    """An empty index whose public address is that of an example; no mail leaves it."""
    settings = Settings(
        public_url=f"http://{HOST}",
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'countersign.sqlite3'}",
        storage_url="file:",
        secret_key="for pictures only, and gone with them",
        encryption_keys=(os.urandom(32),),
        require_2fa_new_users_from=date(2023, 8, 8),
    )
    app = create_app(settings, clock=SettableClock(SHOWN_AT), mailer=MemoryMailer())
    with app.app_context():
        flask_migrate.upgrade()
    return app


@contextmanager
def _served(app: Flask) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _register(app: Flask, page: Page) -> None:
    """Somebody with a verified address and no second factor, through the pages, as it happens to everybody."""
    page.goto("/account/register/")
    fields = {"username": "newt", "email": "newt@mail.example", "new_password": PASSWORD, "password_confirm": PASSWORD}
    for name, value in fields.items():
        page.fill(f"main [name={name}]", value)
    page.get_by_role("button", name="Create account").click()
    page.goto(_newest_link(app))
    page.get_by_role("button", name="Verify this address").click()


def _newest_link(app: Flask) -> str:
    with app.app_context():
        mail = db.session.scalars(select(Mail).order_by(Mail.id.desc())).first()
        assert mail is not None, "registering sent no mail"
        words = wiring.services().notices.read(mail).text.split()
        return next(word for word in words if word.startswith(f"http://{HOST}/") and "token=" in word)


def _opened(png: bytes) -> Image.Image:
    with Image.open(BytesIO(png)) as picture:
        return picture.convert("RGB")


if __name__ == "__main__":
    sys.exit(main())
