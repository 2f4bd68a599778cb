"""What the terminal of each publishing tool shows when an upload is refused, for each kind of refusal: what
docs/uploads.md says of that tool."""

import hashlib
import re
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import pytest

from adapters.clock import SettableClock
from models import Project, User, db
from tests.browser.live import Live
from tests.builders import People
from tests.clients.checkouts import a_checkout
from tests.clients.tools import PUBLISHERS, publish
from tests.packages import a_wheel, an_sdist
from tests.uploading import upload

pytestmark = pytest.mark.clients

DOCUMENT = Path(__file__).parents[2] / "docs/uploads.md"
NOISE = b64encode(hashlib.shake_256(b"").digest(1_100_000)).decode()  # cannot be packed into a megabyte
REASON = {400: "Bad Request", 403: "Forbidden"}


@dataclass(frozen=True)
class Refusal:
    """One kind. `token`: what somebody uploads with, made in the index. says: more lines of the project's metadata."""

    sentence: str
    token: Callable[[People, str], str]
    status: int = 403
    says: str = ""
    module: str = ""


def of_a_member(people: People, name: str) -> str:
    return people.a_token(people.a_member(f"{name}-owner"))[1]


def without_a_second_factor(people: People, name: str) -> str:
    return people.a_token(people.a_user("nora").verified().build())[1]


def without_a_verified_address(people: People, name: str) -> str:
    return people.a_token(people.a_user("una").with_totp().build())[1]


def that_there_is_not(people: People, name: str) -> str:
    return "csn_mistyped"


def that_has_expired(people: People, name: str) -> str:
    return people.a_token(people.a_member("ed"), expires_at=datetime.now(UTC) - timedelta(days=1))[1]


def for_another_project(people: People, name: str) -> str:
    owner = people.a_member("otto")
    return people.a_token(owner, projects=(people.a_project("buoy", owner),))[1]


def of_a_stranger(people: People, name: str) -> str:
    people.a_project(name, people.a_member("ola"))
    return people.a_token(people.a_member("sven"))[1]


def of_its_owner(people: People, name: str, **values: object) -> str:
    owner: User = people.a_member(f"{name}-owner")
    project: Project = people.a_project(name, owner)
    for field, value in values.items():
        setattr(project, field, value)
    db.session.commit()
    return people.a_token(owner)[1]


def of_a_project_that_is(status: str) -> Callable[[People, str], str]:
    return lambda people, name: of_its_owner(people, name, status=status)


def of_a_project_for_publishers_only(people: People, name: str) -> str:
    return of_its_owner(people, name, takes_tokens=False)


def without_a_key_where_one_is_asked_for(people: People, name: str) -> str:
    owner = people.a_member("kim")
    people.an_organizations_project(name, people.an_organization("acme", owner, asks_for_key=True))
    return people.a_token(owner)[1]


REFUSALS = {
    "no-factor": Refusal(
        "Two-factor authentication is required for uploads. Set it up: {url}/manage/account/two-factor/"
        " (rule everyone)",
        without_a_second_factor,
    ),
    "unverified": Refusal(
        "A verified email address is required for uploads. Verify it: {url}/manage/unverified-account/",
        without_a_verified_address,
    ),
    "no-token": Refusal("This API token is not valid: it may have been removed or mistyped.", that_there_is_not),
    "expired": Refusal("This API token has expired. Make a new one.", that_has_expired),
    "other-scope": Refusal("This API token does not allow you to create a project here.", for_another_project),
    "stranger": Refusal("Only owners and maintainers of stranger may upload a file. Ask an owner.", of_a_stranger),
    "archived": Refusal("archived is archived. Open it again to upload a file.", of_a_project_that_is("archived")),
    "quarantined": Refusal(
        "quarantined is in quarantine: you may not upload a file now.", of_a_project_that_is("quarantined")
    ),
    "publishers-only": Refusal(
        "publishers-only takes files from trusted publishers only, and no API tokens.", of_a_project_for_publishers_only
    ),
    "key-asked": Refusal(
        "acme asks for a passkey or security key to upload a file.", without_a_key_where_one_is_asked_for
    ),
    "exists": Refusal("File already exists ('exists-1.0", of_a_member, status=400),
    "classifier": Refusal(
        "The classifier 'Framework :: Fog' is not known. Use one of https://pypi.org/classifiers/, or one of your own"
        " that begins with 'Private ::'.",
        of_a_member,
        status=400,
        says='classifiers = ["Framework :: Fog"]',
    ),
    "direct-url": Refusal(
        "Can't have direct dependency: 'buoy @ https://example.com/buoy-1.0.tar.gz'. Publish that package here too, or"
        " have the operator set COUNTERSIGN_DIRECT_URLS.",
        of_a_member,
        status=400,
        says='dependencies = ["buoy @ https://example.com/buoy-1.0.tar.gz"]',
    ),
    "too-large": Refusal("File too large. Limit is 1 MB.", of_a_member, status=400, module=f"NOISE = '{NOISE}'"),
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Live]:
    """One index for all of them: what is refused changes nothing."""
    folder = tmp_path_factory.mktemp("instance")
    shutil.copy(empty_database, folder / "countersign.sqlite3")
    server = Live(folder, max_file_bytes=1_000_000)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def tokens(index: Live) -> dict[str, str]:
    """What each kind of upload is tried with."""
    with index.app.app_context():
        people = People(index.app, SettableClock(datetime.now(UTC)))
        tokens = {name: refusal.token(people, name) for name, refusal in REFUSALS.items()}
    for package in (a_wheel("exists"), an_sdist("exists")):  # whichever a tool sends first
        assert upload(index.app, tokens["exists"], package).status_code == 200
    return tokens


def told_by_the_document() -> dict[str, tuple[str, str]]:
    """Of each tool the version, and what its terminal shows."""
    rows = re.findall(r"^\| (\w+) ([\d.]+) \| ([^|]+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    return {tool: (version, shown) for tool, version, shown in rows}


def test_the_document_speaks_of_the_versions_that_are_tried() -> None:
    told = told_by_the_document()

    assert {tool: version for tool, (version, _) in told.items()} == {
        tool: metadata.version(tool) for tool in PUBLISHERS
    }


@pytest.mark.parametrize("kind", REFUSALS)
@pytest.mark.parametrize("tool", PUBLISHERS)
def test_the_terminal_shows_what_the_document_says(
    index: Live, tokens: dict[str, str], tmp_path: Path, tool: str, kind: str
) -> None:
    refusal, shown = REFUSALS[kind], told_by_the_document()[tool][1]
    checkout = a_checkout(tmp_path, kind, says=refusal.says, module=refusal.module)
    sentence = refusal.sentence.format(url=index.url)

    done = publish(tool, index.url, tokens[kind], checkout)

    assert done.returncode != 0, done.stdout
    if shown.startswith("the sentence"):
        assert done.stdout.count(sentence) == (2 if shown.endswith("twice") else 1), done.stdout
        assert ("Traceback" in done.stdout) == (shown.endswith("traceback if 403") and refusal.status == 403)
    else:
        [log] = (tmp_path / checkout.name).rglob("pdm-publish-*.log")
        assert shown.startswith("the status only")
        assert f"{refusal.status} {REASON[refusal.status]}" in done.stdout
        assert sentence not in done.stdout
        assert str(log) in done.stdout
        assert sentence in log.read_text()
