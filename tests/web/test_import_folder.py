"""Moving in: the operator publishes a folder of files for somebody, by the rules that hold for uploads."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa
from flask import Flask

from models import Event, File, Mail, Project, Release, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import People
from tests.packages import Package, a_metadata, a_wheel, an_sdist
from tests.uploading import upload

Run = Callable[..., str]


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as pypiserver keeps it."""
    path = tmp_path / "packages"
    (path / "deeper").mkdir(parents=True)
    return path


@pytest.fixture
def run(app: Flask, folder: Path) -> Run:
    def call(*options: str, code: int = 0, owner: str = "ana") -> str:
        db.session.rollback()
        words = ["import-folder", str(folder), "--owner", owner, *options]
        result = app.test_cli_runner().invoke(args=words)
        assert result.exit_code == code, result.output
        db.session.rollback()
        return result.output

    return call


def put(folder: Path, *packages: Package) -> None:
    for package in packages:
        package.write(folder)


def files() -> set[str]:
    return set(db.session.scalars(sa.select(File.filename)))


def test_a_folder_comes_in_whole_and_can_be_installed(ana: User, run: Run, folder: Path, browser: Browser) -> None:
    wheel = a_wheel("Acme.Utils", metadata=a_metadata("Acme.Utils", "1.0", Summary="Small tools"))
    put(folder, wheel, an_sdist("Acme.Utils"))
    put(folder / "deeper", a_wheel("tide-tables", "0.9"), a_wheel("tide-tables", "1.0"))
    (folder / "README.txt").write_text("not a package")

    output = run()

    assert output == "4 added, 0 were here, 0 refused.\n"
    assert {(project.name, project.summary) for project in db.session.scalars(sa.select(Project))} == {
        ("Acme.Utils", "Small tools"),
        ("tide-tables", ""),
    }
    path = db.session.scalars(sa.select(File).where(File.filename == wheel.filename)).one().path
    assert browser.get(path).data == wheel.content
    assert wheel.filename in browser.get("/simple/acme-utils/").text
    assert (folder / wheel.filename).is_file()


def test_they_are_the_owners_as_if_uploaded_and_the_journal_says_from_where(ana: User, run: Run, folder: Path) -> None:
    put(folder, a_wheel())

    run()

    release = db.session.scalars(sa.select(Release)).one()
    assert (release.uploaded_by, [role.user for role in release.project.roles]) == (ana, [ana])
    events = db.session.scalars(sa.select(Event).order_by(Event.id)).all()
    assert [(event.tag, event.address, event.actor_id) for event in events] == [
        ("project:name:created", "shell", ana.id),
        ("project:release:added", "shell", ana.id),
        ("project:file:added", "shell", ana.id),
        ("operator:files:imported", "shell", None),
    ]


def test_the_owner_is_told_once(ana: User, run: Run, folder: Path) -> None:
    put(folder, a_wheel(), a_wheel(version="1.1"), a_wheel("tide-tables"))

    run()
    run()

    mails = db.session.scalars(sa.select(Mail)).all()
    assert [(mail.notice, mail.user_id) for mail in mails] == [("files-imported", ana.id)]
    assert mails[0].subject == "3 files were imported for your account ana"


def test_what_is_here_is_passed_over_so_that_it_can_be_run_again(ana: User, run: Run, folder: Path) -> None:
    put(folder, a_wheel())
    run()
    put(folder, a_wheel(version="1.1"))

    assert run() == "1 added, 1 were here, 0 refused.\n"
    assert run() == "0 added, 2 were here, 0 refused.\n"


def test_what_breaks_a_rule_is_named_with_its_reason_and_the_rest_comes_in(
    ana: User, run: Run, folder: Path, tmp_path: Path
) -> None:
    put(folder, a_wheel(), Package("acme_utils-1.1-py3-none-any.whl", b"no wheel"), Package("Old-1.0.tar.gz", b"x"))
    put(folder / "deeper", Package("nonsense.whl", b""))

    output = run("--report", str(tmp_path / "report"), code=1)

    assert "1 added, 0 were here, 3 refused." in output
    assert "refused  acme_utils-1.1-py3-none-any.whl: The file is not a wheel" in output
    assert "refused  deeper/nonsense.whl: The filename 'nonsense.whl' is not that of a wheel or an sdist." in output
    assert "should be 'old-1.0.tar.gz'" in output
    lines = [orjson.loads(line) for line in (tmp_path / "report").read_bytes().splitlines()]
    assert {line["file"]: line["outcome"] for line in lines} == {
        "acme_utils-1.0-py3-none-any.whl": "added",
        "acme_utils-1.1-py3-none-any.whl": "refused",
        "Old-1.0.tar.gz": "refused",
        "deeper/nonsense.whl": "refused",
    }
    assert files() == {"acme_utils-1.0-py3-none-any.whl"}


def test_a_refused_file_leaves_nothing_behind(app: Flask, ana: User, run: Run, folder: Path) -> None:
    put(folder, a_wheel("tide-tables", metadata=a_metadata("tide-tables", "1.0", Classifier=["No :: Such"])))

    run(code=1)

    assert db.session.scalars(sa.select(Project)).all() == []
    assert db.session.scalars(sa.select(Mail)).all() == []
    assert list(wiring_of(app).store.incoming.iterdir()) == []


def test_a_dry_run_tells_what_would_be_refused_and_changes_nothing(
    app: Flask, ana: User, run: Run, folder: Path
) -> None:
    put(folder, a_wheel(), Package("acme_utils-1.1-py3-none-any.whl", b"no wheel"))

    output = run("--dry-run", code=1)

    assert output.endswith("1 would be added, 0 were here, 1 refused.\n")
    assert files() == set()
    assert db.session.scalars(sa.select(Event)).all() == []
    assert list(wiring_of(app).store.incoming.iterdir()) == []


def test_nothing_is_put_into_a_project_that_the_owner_has_no_part_in(
    app: Flask, people: People, ana: User, run: Run, folder: Path
) -> None:
    upload(app, people.a_token(people.a_member("bo"))[1], a_wheel())
    put(folder, a_wheel(version="1.1"))

    assert "acme-utils is here already, and ana has no role in it." in run(code=1)


def test_another_file_of_a_name_that_is_here_is_refused(ana: User, run: Run, folder: Path) -> None:
    put(folder, a_wheel())
    run()
    put(folder, a_wheel(extra={"acme_utils/more.py": b"x = 1\n"}))

    assert "File already exists" in run(code=1)


def test_a_file_that_cannot_be_read_is_refused(ana: User, run: Run, folder: Path) -> None:
    put(folder, a_wheel())
    (folder / "acme_utils-1.1-py3-none-any.whl").symlink_to("/proc/self/mem")

    output = run(code=1)

    assert "refused  acme_utils-1.1-py3-none-any.whl: The file cannot be read: Input/output error." in output
    assert files() == {a_wheel().filename}


def test_an_owner_that_there_is_not_or_is_frozen_is_told(people: People, ana: User, run: Run, folder: Path) -> None:
    ana.is_active = False
    db.session.commit()

    assert "There is no account 'nobody'" in run(owner="nobody", code=1)
    assert "The account ana is frozen." in run(code=1)
