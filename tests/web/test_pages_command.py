"""`flask pages write`, and what `flask verify` says of the static tree."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from adapters.static_tree import FILES
from models import User, db
from tests.browsing import Browser
from tests.builders import People
from tests.conftest import MakeApp
from tests.packages import a_wheel
from tests.uploading import upload


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pages"


@pytest.fixture
def app(make_app: MakeApp, folder: Path) -> Iterator[Flask]:
    application = make_app(static_dir=folder)
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def ana(app: Flask, people: People) -> User:
    """Ana, who has published a wheel of acme-utils."""
    member = people.a_member("ana")
    assert upload(app, people.a_token(member)[1], a_wheel()).status == "200 OK"
    return member


def run(app: Flask, *words: str, code: int = 0) -> str:
    db.session.rollback()
    result = app.test_cli_runner().invoke(args=list(words))
    assert result.exit_code == code, result.output
    return result.output


def test_it_writes_what_is_missing_and_only_that(app: Flask, ana: User, folder: Path) -> None:
    first, second = run(app, "pages", "write"), run(app, "pages", "write")

    assert first == "1 pages written or removed.\n"  # the list
    assert second == "0 pages written or removed.\n"
    assert {path.name for path in (folder / "open/simple").iterdir()} == {"acme-utils", *FILES}


def test_what_lies_is_named_by_verify_and_mended(app: Flask, ana: User, folder: Path) -> None:
    run(app, "pages", "write")
    page, left_over = folder / "open/simple/acme-utils/index.json", folder / "open/simple/left-over"
    true = page.read_bytes()
    page.write_bytes(b"{}")
    left_over.mkdir()
    (left_over / "index.json").write_bytes(b"{}")
    (folder / "open/simple/index.html").write_bytes(b"")

    told = run(app, "verify", "--quick", code=1)

    assert "acme-utils: its page in the static tree does not say what is there" in told
    assert "left-over: its page in the static tree does not say what is there" in told
    assert "The list of all projects in the static tree does not say what is there" in told
    assert "1 file looked at, 3 faults." in told
    assert run(app, "pages", "write") == "3 pages written or removed.\n"
    assert page.read_bytes() == true
    assert not left_over.exists()
    assert "0 faults" in run(app, "verify", "--quick")


def test_what_is_missing_is_no_fault_for_the_application_answers(app: Flask, ana: User, folder: Path) -> None:
    (folder / "open/simple/acme-utils/index.json").unlink()
    (folder / "open/simple/acme-utils/index.html").unlink()

    assert "0 faults" in run(app, "verify", "--quick")
    assert Browser(app).get("/simple/acme-utils/").status_code == 200


def test_without_a_tree_it_says_so(make_app: MakeApp) -> None:
    bare = make_app()
    with bare.app_context():
        assert "There is no static tree. COUNTERSIGN_STATIC_DIR says where" in run(bare, "pages", "write", code=1)
        db.session.remove()
        db.engine.dispose()
