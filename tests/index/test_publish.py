"""Publishing: what a file changes, what stands in its way, and who is told."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from adapters.storage import StoreFault
from domain.index import free_names, projects, publish
from domain.index.digests import receive
from domain.index.filenames import FileKind
from domain.index.publish import FileExists, Published
from domain.index.upload_rules import UploadRules
from domain.index.uploads import Upload
from domain.policy.actions import Action
from domain.policy.decision import NoLongerPermitted, PermitMismatch, Reason
from domain.policy.principals import TokenHolder
from domain.policy.targets import Role, Target
from domain.problems import Problem
from models import DeletedFilename, File, Organization, Project, Release, User, db
from tests.browsing import wiring_of
from tests.builders import People
from tests.letters import letters, notices_to
from tests.packages import Package, a_metadata, a_wheel, an_sdist
from tests.permits import EVERYONE, ORIGIN, member_of, permit_for, permit_of
from tests.requirements import requirement
from tests.uploading import kept_page

Publish = Callable[..., Published]
RULES = UploadRules()


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


@pytest.fixture
def published(app: Flask, tmp_path: Path, clock: SettableClock, ana: User) -> Publish:
    """Publishes a package, as Ana unless somebody else is named, and commits."""

    def do(package: Package, *, by: User = ana) -> Published:
        upload = an_upload(package, tmp_path)
        project, now = projects.find(db.session(), upload.name), clock.now()
        action = Action.UPLOAD_FILE if project is not None else Action.CREATE_PROJECT
        holder = TokenHolder(ORIGIN, member_of(by, now=now).account, token_id=1, expires_at=None, reaches_all=True)
        target = Target(project, "it", role=Role.OWNER, project_id=project.id) if project is not None else None
        permit = permit_of(holder, action, target, now=now)
        found, session = wiring_of(app), db.session()
        try:
            done = publish.publish(
                session,
                permit,
                found.store,
                found.notices,
                upload,
                rules=RULES,
                policy=EVERYONE,
                asks_again=lambda: holder,
                now=now,
            )
        except Problem:
            db.session.rollback()
            raise
        db.session.commit()
        return done

    return do


def an_upload(package: Package, folder: Path) -> Upload:
    """A package as it stands when its bytes have arrived."""
    with package.write(folder).open("rb") as stream:
        file = receive(stream, folder, limit_bytes=10**9)
    name, version = package.filename.removesuffix(".tar.gz").split("-")[:2]
    kind = FileKind.WHEEL if package.filename.endswith(".whl") else FileKind.SDIST
    return Upload(file, package.filename, kind, name.replace("_", "-"), version, {"sha256": package.sha256})


def a_release_of(version: str, summary: str) -> Package:
    return a_wheel(version=version, metadata=a_metadata("acme-utils", version, Summary=summary))


def other_bytes(package: Package) -> Package:
    """Another wheel under the same name."""
    return Package(package.filename, a_wheel(extra={"acme_utils/more.py": b"x = 1\n"}).content)


# --- what a file changes ----------------------------------------------------------------------------------------------


def test_all_files_of_a_release_come_together(published: Publish) -> None:
    published(a_wheel())
    published(an_sdist())
    published(a_wheel(tag="cp312-cp312-manylinux_2_28_x86_64", extra={"acme_utils/x.so": b"\x7fELF"}))

    release = db.session.scalars(sa.select(Release)).one()
    assert [(file.filename, file.kind) for file in release.files] == [
        ("acme_utils-1.0-cp312-cp312-manylinux_2_28_x86_64.whl", "bdist_wheel"),
        ("acme_utils-1.0-py3-none-any.whl", "bdist_wheel"),
        ("acme_utils-1.0.tar.gz", "sdist"),
    ]


def test_a_version_may_be_spelt_in_several_ways(published: Publish) -> None:
    published(a_wheel(version="1.0"))
    published(a_wheel(version="1.0.0", tag="py2.py3-none-any"))

    release = db.session.scalars(sa.select(Release)).one()
    assert (release.version, len(release.files)) == ("1.0", 2)


def test_a_release_keeps_the_description_of_its_first_file(published: Publish) -> None:
    published(a_release_of("1.0", "First"))
    published(an_sdist(metadata=a_metadata(Summary="Second")))

    assert db.session.scalars(sa.select(Release.summary)).all() == ["First"]


@pytest.mark.parametrize(
    ("versions", "shown"),
    [
        (["1.0", "2.0"], "2.0"),
        (["2.0", "1.0.1"], "2.0"),
        (["10.0", "9.0"], "10.0"),
        (["1.0", "2.0rc1"], "1.0"),
        (["1.0a1", "1.0a2"], "1.0a2"),
        (["1.0.dev1", "0.9"], "0.9"),
    ],
)
def test_a_project_is_summed_up_by_its_latest_release(published: Publish, versions: list[str], shown: str) -> None:
    for version in versions:
        published(a_release_of(version, f"About {version}"))

    assert db.session.scalars(sa.select(Project.summary)).one() == f"About {shown}"


def test_a_project_is_as_new_as_its_newest_file(published: Publish, clock: SettableClock) -> None:
    published(a_wheel())
    clock.advance(timedelta(days=2))

    published(an_sdist())

    assert db.session.scalars(sa.select(Project.updated_at)).one() == clock.now()


def test_the_simple_page_names_the_file_in_the_same_transaction(published: Publish) -> None:
    published(a_wheel())

    assert b"acme_utils-1.0-py3-none-any.whl" in kept_page("html")
    assert a_wheel().sha256.encode() in kept_page("json")


def test_an_sdist_has_no_metadata_beside_it(published: Publish) -> None:
    published(an_sdist())

    assert db.session.scalars(sa.select(File.metadata_sha256)).one() is None


# --- what stands in its way -------------------------------------------------------------------------------------------


def test_the_very_same_file_is_no_news(published: Publish) -> None:
    assert published(a_wheel()).is_new
    assert not published(a_wheel()).is_new


def test_other_bytes_under_the_same_name_are_refused(published: Publish) -> None:
    published(a_wheel())

    with pytest.raises(FileExists) as refusal:
        published(other_bytes(a_wheel()))

    assert refusal.value.message.startswith("File already exists ('acme_utils-1.0-py3-none-any.whl', with blake2_256")


def test_the_same_bytes_under_another_name_are_refused(published: Publish) -> None:
    published(a_wheel())

    with pytest.raises(FileExists, match="File already exists"):
        published(Package("acme_utils-1.0-py2.py3-none-any.whl", a_wheel().content))


def test_the_name_of_a_deleted_file_never_means_other_bytes(published: Publish, clock: SettableClock) -> None:
    db.session.add(DeletedFilename(filename=a_wheel().filename, deleted_at=clock.now()))
    db.session.commit()

    with pytest.raises(Problem, match="previously used by a file that has since been deleted"):
        published(a_wheel())

    assert db.session.scalars(sa.select(Project)).all() == []


def test_a_release_has_one_sdist(published: Publish) -> None:
    published(an_sdist())

    with pytest.raises(Problem, match="Only one sdist may be uploaded per release"):
        published(an_sdist(version="1.0.0"))


def test_a_name_too_like_another_is_refused_and_nothing_of_it_is_kept(
    app: Flask, people: People, published: Publish
) -> None:
    people.a_project("acme-uti1s", people.a_member("bo"))

    with pytest.raises(free_names.NameTaken, match="is too like acme-uti1s"):
        published(a_wheel())

    assert not wiring_of(app).store.exists(a_wheel().sha256)


@pytest.mark.parametrize("action", [Action.UPLOAD_FILE, Action.VIEW_RELEASES])
def test_a_permit_for_something_else_publishes_nothing(
    app: Flask, people: People, clock: SettableClock, ana: User, tmp_path: Path, action: Action
) -> None:
    theirs, other = people.a_project("acme-utils", ana), people.a_project("other", ana)
    permit = permit_for(ana, action, theirs if action is Action.VIEW_RELEASES else other, now=clock.now())
    store, notices, upload = wiring_of(app).store, wiring_of(app).notices, an_upload(a_wheel(), tmp_path)

    with pytest.raises(PermitMismatch):
        publish.publish(
            db.session(),
            permit,
            store,
            notices,
            upload,
            rules=RULES,
            policy=EVERYONE,
            asks_again=lambda: permit.principal,
            now=clock.now(),
        )

    assert not store.exists(a_wheel().sha256)


def test_no_row_stands_for_bytes_that_could_not_be_kept(
    app: Flask, published: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("obstore.put", full)

    with pytest.raises(StoreFault, match="No space left"):
        published(a_wheel())
    db.session.rollback()

    assert db.session.scalars(sa.select(File)).all() == []


# --- who is told ------------------------------------------------------------------------------------------------------


def test_a_release_is_told_to_its_owners_once(people: People, published: Publish, ana: User) -> None:
    people.a_project("acme-utils", ana, maintainers=(people.a_member("mo"),))

    published(a_wheel())
    published(an_sdist())

    [letter] = letters()
    assert (letter.to, letter.notice) == ("ana@mail.example", "file-published")
    assert letter.subject == "acme-utils 1.0 was published"
    assert "You published the release 1.0 of acme-utils at localhost:8000" in letter.text
    assert "acme_utils-1.0-py3-none-any.whl" in letter.text
    assert "203.0.113.7" in letter.text
    assert "/manage/account/token/" in letter.text


def test_a_maintainer_who_publishes_is_told_and_so_are_the_owners(
    people: People, published: Publish, ana: User
) -> None:
    mo, lu = people.a_member("mo"), people.a_member("lu")
    people.a_project("acme-utils", ana, maintainers=(mo, lu))

    published(a_wheel(), by=mo)

    [to_ana] = letters("ana@mail.example")
    assert "mo published the release 1.0" in to_ana.text
    assert "203.0.113.7" not in to_ana.text
    assert notices_to("mo@mail.example") == ["file-published"]
    assert notices_to("lu@mail.example") == []


def test_a_file_that_comes_late_is_news(published: Publish, clock: SettableClock) -> None:
    published(a_wheel())
    clock.advance(timedelta(hours=1))

    published(an_sdist())

    assert [letter.subject for letter in letters()] == [
        "acme-utils 1.0 was published",
        "A file was added to acme-utils 1.0",
    ]


def test_a_file_from_somebody_else_is_news_at_once(people: People, published: Publish, ana: User) -> None:
    mo = people.a_member("mo")
    people.a_project("acme-utils", ana, maintainers=(mo,))
    published(a_wheel())

    published(an_sdist(), by=mo)

    assert [letter.subject for letter in letters("ana@mail.example")][1:] == ["A file was added to acme-utils 1.0"]


@requirement("R81")
def test_a_role_that_was_lost_while_the_file_was_read_publishes_nothing(published: Publish, people: People) -> None:
    published(a_wheel())
    bo = people.a_member("bo")  # the permit says that Bo had a role when the upload began

    with pytest.raises(NoLongerPermitted) as refusal:
        published(an_sdist(), by=bo)

    assert refusal.value.denial.reason is Reason.NO_PERMISSION
    db.session.rollback()

    assert db.session.scalar(sa.select(sa.func.count()).select_from(File)) == 1


def _archive(project: Project) -> None:
    project.status = "archived"


def _shut(project: Project) -> None:
    project.takes_tokens = False


def _join(project: Project) -> None:
    facts = {"name": "acme", "name_key": "acme", "display_name": "Acme", "asks_for_key": True}
    project.organization = Organization(created_at=project.created_at, **facts)


@pytest.mark.parametrize(
    ("change", "reason"),
    [(_archive, Reason.PROJECT_ARCHIVED), (_shut, Reason.PUBLISHERS_ONLY), (_join, Reason.KEY_REQUIRED)],
)
def test_a_project_that_changed_while_the_file_was_read_is_judged_anew(
    published: Publish, change: Callable[[Project], None], reason: Reason
) -> None:
    published(a_wheel())
    change(db.session.scalars(sa.select(Project)).one())
    db.session.commit()

    with pytest.raises(NoLongerPermitted) as refusal:
        published(an_sdist())

    assert refusal.value.denial.reason is reason
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(File)) == 1
