"""The texts of all notices: one voice, the same in both parts, what to do if it was not you, nothing to break in with.

Every folder of templates/email is written here with each way its mail can turn out.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from adapters.mail import MemoryMailer
from app import create_app
from domain.identity.recovery import FEW
from domain.notices import Letter
from models import ApiToken, Issuer, Mail, Organization, OrganizationRequest, Project, User, db
from tests.browsing import wiring_of
from tests.builders import PASSWORD, People
from tests.conftest import COMPILED, START, settings_for
from tests.permits import ORIGIN
from tests.requirements import requirement

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "templates/email"
HOST = "http://localhost:8000"
RESET, EMAILS = "/account/request-password-reset/", "/manage/account/emails/"
FACTORS, CODES = "/manage/account/two-factor/", "/manage/account/recovery-codes/"
SESSIONS, TOKENS = "/manage/account/sessions/", "/manage/account/token/"
PEOPLE, RELEASES = "/manage/project/acme-utils/collaboration/", "/manage/project/acme-utils/releases/"
MEMBERS, SETTINGS = "/manage/organization/Tide-Office/people/", "/manage/organization/Tide-Office/settings/"
ORGANIZATIONS = "/manage/organizations/"
OWNED = "/manage/organization/Tide-Office/projects/"
PUBLISHING = "/manage/project/acme-utils/publishing/"
TEAM = "/manage/organization/Tide-Office/team/Crew/"

Values = dict[str, object]
LINK = "vHn3-x_Q" * 5 + "abc"  # as long as a real one, with the characters that a line could break at
ACME = Project(name="Acme.Utils", normalized_name="acme-utils")
WHEEL = "acme_utils-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
APP: Values = {"origin": ORIGIN, "label": "My phone", "kind": "authenticator app", "signs_in_alone": False}
KEY: Values = {"origin": ORIGIN, "label": "Blue key", "kind": "security key", "signs_in_alone": False}
PASSKEY: Values = {"origin": ORIGIN, "label": "Laptop", "kind": "passkey", "signs_in_alone": True}
ANY: Values = {"creates_project": False, "grants": ["upload"], "networks": []}
EVERYTHING = ApiToken(description="ci", hint="WXYZ", reaches_all=True, expires_at=None, **ANY)
SOMETHING = ApiToken(
    description="nightly", hint="WXYZ", reaches_all=False, projects=[ACME], expires_at=START + timedelta(days=30), **ANY
)
NEW = ApiToken(description="new", hint="WXYZ", reaches_all=False, expires_at=None, **ANY | {"creates_project": True})
ROTATED = ApiToken(
    description="ci", hint="WXYZ", reaches_all=True, expires_at=None, former_until=START + timedelta(days=1), **ANY
)
NEAR = ApiToken(
    description="near",
    hint="WXYZ",
    reaches_all=True,
    expires_at=None,
    creates_project=False,
    grants=["upload", "yank"],
    networks=["192.0.2.0/24", "2001:db8::/32"],
)
READER = ApiToken(description="mirror", hint="WXYZ", reaches_all=True, expires_at=None, **ANY | {"grants": ["read"]})
BOTH = ApiToken(
    description="both", hint="WXYZ", reaches_all=True, expires_at=None, **ANY | {"grants": ["upload", "read"]}
)
PARTLY = ApiToken(
    description="install",
    hint="WXYZ",
    reaches_all=False,
    projects=[ACME],
    **ANY | {"grants": ["read"]},
    expires_at=None,
)
JOB = "acme/acme-utils/release.yml on GitHub"
NOTHING_MORE: Values = {"ref": "", "sha": "", "ids": {}}
MINE: Values = {"origin": ORIGIN, "project": ACME, "by": "ana"}
THEIRS: Values = {"project": ACME, "by": "bo"}
PENDING: Values = {"publisher": "acme/acme-utils/release.yml on GitHub", "project_name": "acme-utils", "until": START}
ME: Values = {"origin": ORIGIN, "by": "ana"}
BO: Values = {"by": "bo"}
FORGE = Issuer(name="Our forge", url="https://forge.acme.example/api/actions")
OPEN = Project(name="Acme.Utils", normalized_name="acme-utils", takes_tokens=True, is_private=False)
HIDDEN = Project(name="Acme.Utils", normalized_name="acme-utils", is_private=True)
SHUT = Project(name="Acme.Utils", normalized_name="acme-utils", takes_tokens=False)
SHELVED = Project(name="Acme.Utils", normalized_name="acme-utils", status="archived")
OFFICE = Organization(name="Tide-Office", name_key="tide-office", display_name="The Tide Office")
MY_TEAM: Values = {"origin": ORIGIN, "organization": OFFICE, "team": "Crew", "by": "ana"}
A_TEAM: Values = {"organization": OFFICE, "team": "Crew", "by": "bo"}
FILE: Values = {"version": "1.0", "filename": WHEEL, "is_first": True}

MINE_THERE: Values = {"origin": ORIGIN, "organization": OFFICE, "by": "ana"}
THEIRS_THERE: Values = {"organization": OFFICE, "by": "bo"}
WISH = OrganizationRequest(
    id=7,
    name="acme-research",
    user=User(username="bo"),
    question="Which of your projects do you want to put there first?",
    reason="There is an organization of your department already; ask its owners to let you in.",
)
PLACES: list[Values] = [{"organization": OFFICE}]
RECEIVERS: list[Values] = [
    {"receiver": "ana", "organization": None},
    {"receiver": "bo", "organization": None},
    {"receiver": "Tide-Office", "organization": OFFICE},
]

SAMPLES: dict[str, list[Values]] = {
    "address-added": [{"origin": ORIGIN, "address": "second@mail.example"}],
    "address-in-use": [{"holder": User(username="ana")}],
    "address-proof": [{"username": "ana", "token": LINK, "address": "ana@mail.example"}],
    "address-removed": [{"origin": ORIGIN, "address": "second@mail.example"}],
    "browser-trusted": [{"origin": ORIGIN, "until": START + timedelta(days=30)}],
    "collaborator-added": [{**MINE, "role": "owner"}, {**MINE, "role": "maintainer"}],
    "collaborator-removed": [{**MINE, "person": "bo"}, {**THEIRS, "person": "bo"}, {**THEIRS, "person": "cy"}],
    "collaborator-role-changed": [
        {**by, "person": person, "role": role, "was": was}
        for by in (MINE, THEIRS)
        for person in ("ana", "bo", "cy")
        for role, was in (("owner", "maintainer"), ("maintainer", "owner"))
    ],
    "confirm-browser": [{"origin": ORIGIN, "token": LINK, "username": "ana"}],
    "factor-added": [APP, KEY, PASSKEY],
    "factor-removed": [APP, KEY, PASSKEY],
    "factor-renamed": [{**values, "was": "Old name"} for values in (APP, KEY, PASSKEY)],
    "factors-reset": [{}],
    "file-deleted": [{**by, "version": "1.0", "filenames": [WHEEL], "until": START} for by in (MINE, THEIRS)],
    "files-imported": [{"count": count, "projects": count} for count in (1, 12)],
    "file-published": [{**by, **FILE, "is_first": is_first} for by in (MINE, THEIRS) for is_first in (True, False)],
    "invitation": [{**THEIRS, "role": role, "until": START + timedelta(days=7)} for role in ("owner", "maintainer")],
    "invitation-accepted": [{**THEIRS, "role": role} for role in ("owner", "maintainer")],
    "invitation-declined": [
        {"guest": "bo", "project": ACME, "organization": None},
        {"guest": "bo", "project": None, "organization": OFFICE},
    ],
    "invitation-revoked": [{**THEIRS, "organization": None}, {**THEIRS_THERE, "project": None}],
    "issuer-added": [{"origin": ORIGIN, "by": "ana", "issuer": FORGE}, {"by": "bo", "issuer": FORGE}],
    "issuer-removed": [{"origin": ORIGIN, "by": "ana", "issuer": FORGE}, {"by": "bo", "issuer": FORGE}],
    "key-refused": [{"origin": ORIGIN, "label": "Blue key"}],
    "member-added": [
        {**by, "person": by["by"], "role": role}
        for by in (MINE_THERE, THEIRS_THERE)
        for role in ("owner", "manager", "member")
    ],
    "organization-invitation": [
        {**THEIRS_THERE, "role": role, "until": START + timedelta(days=7)} for role in ("owner", "manager", "member")
    ],
    "member-removed": [
        {**MINE_THERE, "person": "bo"},
        {**THEIRS_THERE, "person": "bo"},
        {**THEIRS_THERE, "person": "cy"},
    ],
    "member-role-changed": [
        {**by, "person": person, "role": role, "was": was}
        for by in (MINE_THERE, THEIRS_THERE)
        for person in ("ana", "bo", "cy")
        for role, was in (("owner", "member"), ("manager", "owner"), ("member", "manager"))
    ],
    "organization-deleted": [MINE_THERE, THEIRS_THERE],
    "organization-edited": [MINE_THERE, THEIRS_THERE],
    "organization-rule": [{**by, "asks": asks} for by in (MINE_THERE, THEIRS_THERE) for asks in (True, False)],
    "organization-approved": [{"wish": WISH, "by": "bo"}],
    "organization-declined": [{"wish": WISH, "by": "bo"}],
    "organization-project-reserved": [{**by, "organization": OFFICE} for by in (MINE, THEIRS)],
    "organization-question": [{"wish": WISH, "by": "bo"}],
    "organization-question-answered": [{"wish": WISH, "by": "bo"}],
    "organization-requested": [{"wish": WISH, "by": "bo"}],
    "account-deleted": [{"origin": ORIGIN}],
    "password-changed": [{"origin": ORIGIN}],
    "password-reset": [{"origin": ORIGIN, "username": "ana", "token": LINK}],
    "password-reset-unverified": [{"origin": ORIGIN}],
    "pending-publisher-added": [{**by, **PENDING, **where} for by in (ME, BO) for where in PLACES],
    "pending-publisher-ended": [
        {**PENDING, "why": why, **where} for why in ("taken", "expired", "issuer_removed") for where in PLACES
    ],
    "pending-publisher-reminder": [{**PENDING, **where} for where in PLACES],
    "pending-publisher-removed": [{**by, **PENDING, **where} for by in (ME, BO) for where in PLACES],
    "primary-address-changed": [{"origin": ORIGIN, "address": "second@mail.example"}],
    "project-given-back": [{**by, "organization": OFFICE} for by in (MINE, THEIRS)],
    "project-deleted": [{**by, "until": START} for by in (MINE, THEIRS)],
    "project-limits": [{"project": ACME, "file": "300 MB", "total": "20 GB"}],
    "project-status": [{**by, "project": each} for by in (MINE, THEIRS) for each in (ACME, SHELVED)],
    "project-readers": [{**by, "project": each} for by in (MINE, THEIRS) for each in (OPEN, HIDDEN)],
    "project-uploaders": [{**by, "project": each} for by in (MINE, THEIRS) for each in (OPEN, SHUT)],
    "publisher-added": [{**by, "publisher": "acme/acme-utils/release.yml on GitHub"} for by in (MINE, THEIRS)],
    "publisher-first-use": [
        {"project": ACME, "by": "acme/acme-utils on GitHub", "publisher": JOB, **of}
        for of in ({"ref": "refs/tags/v1.0", "sha": "9f3a" * 10, "ids": {"repository_id": "1001"}}, NOTHING_MORE)
    ],
    "publisher-removed": [{**by, "publisher": "acme/acme-utils/release.yml on GitHub"} for by in (MINE, THEIRS)],
    "recovery-code-used": [{"origin": ORIGIN, "left": left, "few": FEW} for left in (0, 1, 3, 4, 9)],
    "recovery-codes-made": [{"origin": ORIGIN}],
    "release-deleted": [
        {**by, "version": "1.0", "filenames": filenames, "until": START}
        for by in (MINE, THEIRS)
        for filenames in ([WHEEL], [WHEEL, "acme_utils-1.0.tar.gz"])
    ],
    "release-restored": [
        {**by, "version": "1.0", "filenames": filenames}
        for by in (MINE, THEIRS)
        for filenames in ([WHEEL], [WHEEL, "acme_utils-1.0.tar.gz"])
    ],
    "release-unyanked": [{**by, "version": "1.0", "reason": ""} for by in (MINE, THEIRS)],
    "release-yanked": [
        {**by, "version": "1.0", "reason": reason} for by in (MINE, THEIRS) for reason in ("", "It loses data.")
    ],
    "removed-from-organization": [MINE_THERE, THEIRS_THERE],
    "removed-from-project": [MINE, THEIRS],
    "sign-in-after-failures": [{"origin": ORIGIN, "failures": 7}],
    "sign-in-from-new-browser": [{"origin": ORIGIN, "method": "password and authenticator app"}],
    "sign-in-unfinished": [{"origin": ORIGIN}],
    "team-deleted": [MY_TEAM, A_TEAM],
    "team-member-added": [{**by, "person": person} for by in (MY_TEAM, A_TEAM) for person in ("ana", "bo", "cy")],
    "team-member-removed": [{**by, "person": person} for by in (MY_TEAM, A_TEAM) for person in ("ana", "bo", "cy")],
    "team-role-removed": [{**by, "project": ACME} for by in (MY_TEAM, A_TEAM)],
    "team-role-set": [
        {**by, "project": ACME, "role": role} for by in (MY_TEAM, A_TEAM) for role in ("owner", "maintainer")
    ],
    "token-added": [
        {"origin": ORIGIN, "token": token} for token in (EVERYTHING, SOMETHING, NEW, NEAR, READER, BOTH, PARTLY)
    ],
    "token-former-ended": [{"origin": ORIGIN, "token": EVERYTHING}],
    "token-leaked": [
        {"name": "ci", "where": where, "last_used_at": at}
        for where in ("", "https://git.example/acme/utils/blob/0123456789abcdef/release.yml")
        for at in (None, START)
    ],
    "token-removed": [{"origin": ORIGIN, "token": EVERYTHING}],
    "transfer-accepted": [{**by, **to} for by in (MINE, THEIRS) for to in RECEIVERS],
    "transfer-ended": [
        {**by, **to, "how": how}
        for by in (MINE, THEIRS)
        for to in RECEIVERS
        for how in ("declined", "withdrawn", "void")
    ],
    "transfer-offered": [{**THEIRS, **to, "until": START} for to in RECEIVERS],
    "transfer-pending": [{**by, **to, "until": START} for by in (MINE, THEIRS) for to in RECEIVERS],
    "token-rotated": [{"origin": ORIGIN, "token": token} for token in (EVERYTHING, SOMETHING, ROTATED)],
    "tokens-removed": [{"origin": ORIGIN, "names": names} for names in (["ci"], ["ci", "nightly"])],
    "verify-email": [{"username": "ana", "token": LINK}],
}
TO_ONE_ADDRESS = {  # these go out with `send`, which knows no `user`
    "organization-invitation",
    "address-in-use",
    "address-proof",
    "confirm-browser",
    "password-reset",
    "password-reset-unverified",
    "verify-email",
}
OPENS = {
    "address-proof": "/account/verify-email/",
    "confirm-browser": "/account/confirm-login/",
    "password-reset": "/account/reset-password/",
    "verify-email": "/account/verify-email/",
}
ADVICE = {  # the pages where whoever did not do it sets things right, in the order of what is urgent
    "address-added": [RESET, EMAILS],
    "address-proof": [RESET],
    "address-removed": [RESET, EMAILS],
    "browser-trusted": [RESET],
    "collaborator-added": [RESET],
    "collaborator-removed": [RESET],
    "collaborator-role-changed": [RESET],
    "confirm-browser": [RESET],
    "factor-added": [RESET, FACTORS],
    "factor-removed": [RESET, FACTORS],
    "factor-renamed": [RESET, FACTORS],
    "factors-reset": [RESET],
    "file-published": [TOKENS, RELEASES],
    "files-imported": ["/manage/projects/"],
    "issuer-added": [RESET],
    "issuer-removed": [RESET],
    "key-refused": [RESET],
    "organization-project-reserved": [RESET],
    "account-deleted": [],
    "password-changed": [RESET, EMAILS, FACTORS, TOKENS],
    "pending-publisher-added": [RESET],
    "pending-publisher-removed": [RESET],
    "primary-address-changed": [RESET, EMAILS],
    "project-given-back": [RESET],
    "project-deleted": [RESET],
    "project-limits": ["/manage/project/acme-utils/history/"],
    "project-status": [RESET],
    "project-readers": [RESET],
    "project-uploaders": [RESET],
    "publisher-added": [RESET],
    "publisher-first-use": ["/manage/project/acme-utils/publishing/"],
    "publisher-removed": [RESET],
    "recovery-code-used": [RESET, CODES, FACTORS],
    "recovery-codes-made": [RESET, CODES],
    "file-deleted": [RESET],
    "release-deleted": [RESET],
    "release-restored": [RESET],
    "release-unyanked": [RESET],
    "release-yanked": [RESET],
    "member-added": [RESET],
    "member-removed": [RESET],
    "member-role-changed": [RESET],
    "organization-deleted": [RESET],
    "organization-edited": [RESET],
    "organization-rule": [RESET],
    "removed-from-organization": [RESET],
    "removed-from-project": [RESET],
    "sign-in-after-failures": [RESET, FACTORS],
    "sign-in-from-new-browser": [RESET, FACTORS],
    "sign-in-unfinished": [RESET],
    "team-deleted": [RESET],
    "team-member-added": [RESET],
    "team-member-removed": [RESET],
    "team-role-removed": [RESET],
    "team-role-set": [RESET],
    "token-added": [RESET, TOKENS],
    "token-former-ended": [RESET, TOKENS],
    "token-leaked": [TOKENS],
    "token-removed": [RESET, TOKENS],
    "transfer-accepted": [RESET],
    "transfer-ended": [RESET],
    "transfer-pending": [RESET],
    "token-rotated": [RESET, TOKENS],
    "tokens-removed": [RESET, TOKENS],
}
ADVICE_ABOUT_OTHERS = {  # somebody else of the project did it
    "collaborator-removed": [PEOPLE],
    "file-published": [RELEASES],
    "collaborator-role-changed": [PEOPLE],
    "invitation-accepted": [PEOPLE],
    "issuer-added": ["/admin/issuers/"],
    "issuer-removed": ["/admin/issuers/"],
    "member-added": [MEMBERS],
    "member-removed": [MEMBERS],
    "member-role-changed": [MEMBERS],
    "organization-edited": [SETTINGS],
    "organization-approved": [RESET],
    "organization-declined": [RESET],
    "organization-project-reserved": [OWNED],
    "organization-question": [ORGANIZATIONS],
    "file-deleted": [RELEASES],
    "pending-publisher-added": ["/manage/organization/Tide-Office/publishing/"],
    "pending-publisher-removed": ["/manage/organization/Tide-Office/publishing/"],
    "project-deleted": ["/manage/projects/"],
    "project-status": ["/manage/project/acme-utils/settings/"],
    "project-readers": ["/manage/project/acme-utils/settings/"],
    "project-uploaders": [PUBLISHING],
    "publisher-added": [PUBLISHING],
    "publisher-removed": [PUBLISHING],
    "release-deleted": [PEOPLE],
    "team-member-added": [TEAM],
    "team-role-set": [TEAM],
    "release-restored": [RELEASES],
    "release-unyanked": [RELEASES],
    "release-yanked": [RELEASES],
    "transfer-accepted": ["/project/acme-utils/"],
    "transfer-pending": ["/manage/project/acme-utils/settings/"],
}

Write = Callable[[str, Values], Letter]
each_notice = pytest.mark.parametrize("notice", SAMPLES)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Flask]:
    """One application for all that is written here: a mail changes nothing that the next one sees."""
    folder = tmp_path_factory.mktemp("mails")
    shutil.copy(empty_database, folder / "countersign.sqlite3")
    application = create_app(settings_for(folder), clock=SettableClock(START), mailer=MemoryMailer())
    application.jinja_env.bytecode_cache = COMPILED
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def ana(index: Flask) -> User:
    return People(index, SettableClock(START)).a_member("ana")


@pytest.fixture(scope="module")
def write(index: Flask, ana: User) -> Write:
    """Put a notice into the outbox and open it."""
    notices = wiring_of(index).notices

    def write_one(notice: str, values: Values) -> Letter:
        if notice in TO_ONE_ADDRESS:
            notices.send(db.session(), notice, to="ana@mail.example", user_id=ana.id, now=START, **values)
        else:
            notices.tell(db.session(), ana, notice, now=START, **values)
        return notices.read(db.session.scalars(sa.select(Mail).order_by(Mail.id.desc()).limit(1)).one())

    return write_one


def said(letter: Letter) -> str:
    """The text part as one line, without the signature."""
    return " ".join(letter.text.partition("\n-- \n")[0].split())


def advice(letter: Letter) -> str:
    """What the text part says to whoever did not do it: all below when, from and with."""
    below = letter.text.partition("\n-- \n")[0].partition("\nWhen:")[2]
    return below.partition("\n\n")[2]


def tree_of(letter: Letter) -> Element:
    root: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(letter.html)
    return root


def said_in_html(letter: Letter) -> str:
    """The HTML part as one line, without its frame, its heading and the words on buttons."""

    def pieces() -> Iterator[str]:
        for element in tree_of(letter).iter():
            term, fact = element.find("th"), element.find("td")
            if element.tag in ("p", "li"):
                yield "".join(element.itertext())
            elif term is not None and fact is not None:
                yield f"{''.join(term.itertext()).strip()}: {''.join(fact.itertext())}"

    return " ".join(" ".join(pieces()).split())


def links_in_text(text: str) -> list[str]:
    return [word for word in text.split() if "://" in word]


def paths(text: str) -> list[str]:
    return [link.removeprefix(HOST) for link in links_in_text(text)]


def links_in_html(letter: Letter) -> list[str]:
    """Where the HTML part leads to, but for the signature."""
    return [link.get("href", "") for link in tree_of(letter).iter("a")][:-1]


def buttons(letter: Letter) -> list[str]:
    cells = (cell for cell in tree_of(letter).iter("td") if cell.get("bgcolor") == "#0b5d57")
    return [link.get("href", "") for cell in cells for link in cell.iter("a")]


def test_every_notice_has_a_sample_here() -> None:
    assert {path.name for path in FOLDER.iterdir() if path.is_dir()} == set(SAMPLES)


def test_the_operators_table_lists_every_notice() -> None:
    section = (ROOT / "docs/operation.md").read_text().partition("### What is written")[2].partition("\n## ")[0]

    assert sorted(re.findall(r"`([a-z-]+)`", section)) == sorted(SAMPLES)


@each_notice
def test_the_subject_is_one_short_line(write: Write, notice: str) -> None:
    for values in SAMPLES[notice]:
        subject = write(notice, values).subject

        assert 0 < len(subject) <= 78, subject
        assert not set("{}<>\n") & set(subject), subject


@pytest.mark.parametrize("notice", ["collaborator-removed", "invitation", "file-published", "password-reset"])
def test_the_longest_names_leave_the_subject_its_room(write: Write, notice: str) -> None:
    project = Project(name="p" * 100, normalized_name="p" * 100)
    names: Values = dict.fromkeys(("by", "person", "username"), "b" * 50)
    values = {**SAMPLES[notice][-1], **names, "project": project, "version": "1" * 64}

    assert len(write(notice, values).subject) <= 255


@each_notice
def test_the_text_is_plain_and_folded(write: Write, notice: str) -> None:
    for values in SAMPLES[notice]:
        text = write(notice, values).text

        assert not set("{}<>") & set(text), text
        assert not re.search(r"&\w+;", text), text
        assert "\n\n\n" not in text
        assert text == text.strip()
        for line in text.splitlines():
            assert len(line) <= 76 or " " not in line, line
            assert line == "-- " or line == line.rstrip(), line


@each_notice
def test_a_link_stands_alone_on_its_line(write: Write, notice: str) -> None:
    for values in SAMPLES[notice]:
        lines = write(notice, values).text.splitlines()

        with_links = [line for line in lines if "://" in line]
        assert with_links
        assert all(re.fullmatch(rf"{HOST}(/[\w/.=?-]*)?", line) for line in with_links), with_links


def test_every_link_leads_to_a_page(index: Flask, write: Write) -> None:
    written = [write(notice, values) for notice, samples in SAMPLES.items() for values in samples]
    linked = {path.partition("?")[0] for letter in written for path in paths(letter.text)} - {""}

    adapter = index.url_map.bind("localhost:8000")

    assert len(linked) > 12
    assert [path for path in sorted(linked) if not adapter.test(path, "GET")] == []


@each_notice
def test_both_parts_say_the_same(write: Write, notice: str) -> None:
    for values in SAMPLES[notice]:
        letter = write(notice, values)

        assert said_in_html(letter) == said(letter)
        assert links_in_html(letter) == links_in_text(said(letter))


@each_notice
def test_names_are_escaped_in_html_and_left_alone_in_text(write: Write, notice: str) -> None:
    for values in SAMPLES[notice]:
        letter = write(notice, with_markup(values))

        assert "<b>x</b>" not in letter.html
        assert said_in_html(letter) == said(letter)
        assert ("<b>x</b>" in letter.text) == (with_markup(values) != values)


def with_markup(values: Values) -> Values:
    """The same sample, but every word that a person chose is HTML."""
    fixed = ("kind", "role", "token", "normalized_name")
    found: Values = {}
    for name, value in values.items():
        if isinstance(value, str) and name not in fixed:
            found[name] = "<b>x</b>"
        elif isinstance(value, list):
            found[name] = ["<b>x</b>"] * len(value)
        elif isinstance(value, Project):
            found[name] = Project(name="<b>x</b>", normalized_name=value.normalized_name)
        elif isinstance(value, ApiToken):
            found[name] = ApiToken(description="<b>x</b>", reaches_all=True, expires_at=None, **ANY)
        elif isinstance(value, OrganizationRequest):
            words = dict.fromkeys(("name", "question", "reason"), "<b>x</b>")
            found[name] = OrganizationRequest(id=value.id, user=User(username="<b>x</b>"), **words)
        elif isinstance(value, User):
            found[name] = User(username="<b>x</b>")
        else:
            found[name] = value
    return found


@each_notice
def test_no_mail_loads_anything(write: Write, notice: str) -> None:
    for values in SAMPLES[notice]:
        elements = list(tree_of(write(notice, values)).iter())

        assert [element.tag for element in elements if {"src", "background", "style"} & set(element.keys())] == []
        assert {"style", "link", "script"}.isdisjoint(element.tag for element in elements)


def test_long_words_may_break_on_a_phone(write: Write) -> None:
    written = [write(notice, values) for notice, samples in SAMPLES.items() for values in samples]
    written += [write("factor-renamed", {**KEY, "label": "k" * 64, "was": "w" * 64})]
    written += [write("address-added", {"origin": ORIGIN, "address": f"{'a' * 64}@mail.example"})]
    for letter in written:
        shown = re.sub(r"<(?!wbr)[^>]*>", " ", letter.html.partition("<body")[2])
        longest = max(re.split(r"\s|<wbr>", shown), key=len)

        assert len(longest) <= 20, longest


@each_notice
def test_when_it_was_is_always_said_and_from_where_to_whoever_did_it(write: Write, notice: str) -> None:
    for values in SAMPLES[notice]:
        text = write(notice, values).text

        assert "\nWhen:  22 Nov 2026, 14:05 UTC\n" in text
        assert ("\nFrom:  203.0.113.7\nWith:  Firefox on Linux\n" in text) == ("origin" in values)
        assert ("From:" in text) == ("origin" in values)


@each_notice
def test_what_a_browser_calls_itself_is_not_repeated(write: Write, notice: str) -> None:
    stranger = replace(ORIGIN, user_agent="Firefox/140.0 <b>call evil.example</b> Linux rv:1", address="")
    for values in SAMPLES[notice]:
        if "origin" not in values:
            continue
        letter = write(notice, {**values, "origin": stranger})

        for part in (letter.text, letter.html):
            assert "Firefox on Linux" in part
            assert "an unknown address" in part
            assert not re.search("evil|140|rv:1|Mozilla", part)


@each_notice
def test_what_to_do_if_it_was_not_you_is_said_in_one_form(write: Write, notice: str) -> None:
    for values in SAMPLES[notice]:
        letter = write(notice, values)

        asked = "If this was not you, " if "origin" in values else "If "
        assert advice(letter).startswith(asked), advice(letter)
        assert not re.search("You did not|did you not", letter.text)


@each_notice
def test_what_to_do_leads_to_the_pages_where_it_is_done(write: Write, notice: str) -> None:
    for values in SAMPLES[notice]:
        letter = write(notice, values)

        expected = ADVICE_ABOUT_OTHERS if values.get("by") == "bo" else ADVICE
        assert paths(advice(letter)) == expected.get(notice, [])


@requirement("R22")
@each_notice
def test_no_mail_holds_anything_to_sign_in_or_upload_with(write: Write, ana: User, notice: str) -> None:
    secrets = [PASSWORD, ana.password_hash, "WXYZ", *ana.test_secrets, *ana.test_codes]  # type: ignore[attr-defined]
    for values in SAMPLES[notice]:
        letter = write(notice, values)

        assert [secret for secret in secrets if secret in letter.subject + letter.text + letter.html] == []
        assert LINK not in letter.subject
        assert ("?token=" in letter.text) == (notice in OPENS)


@pytest.mark.parametrize("notice", OPENS)
def test_a_link_that_opens_something_is_a_button_and_there_once(write: Write, notice: str) -> None:
    letter = write(notice, SAMPLES[notice][0])

    link = f"{HOST}{OPENS[notice]}?token={LINK}"
    assert letter.text.splitlines().count(link) == 1
    assert letter.text.count(LINK) == 1
    assert buttons(letter) == [link]


@each_notice
def test_there_is_one_button_at_most(write: Write, notice: str) -> None:
    for values in SAMPLES[notice]:
        assert len(buttons(write(notice, values))) <= 1


@pytest.mark.parametrize(
    ("values", "words"), [(APP, "An authenticator app"), (KEY, "A security key"), (PASSKEY, "A passkey")]
)
def test_a_second_factor_is_called_what_it_is(write: Write, values: Values, words: str) -> None:
    for notice in ("factor-added", "factor-removed", "factor-renamed"):
        letter = write(notice, {**values, "was": "Old name"})

        assert letter.subject.startswith(f"{words} ")
        assert f"The {values['kind']} “" in letter.text
        assert f"“{values['label']}”" in letter.text
        assert ("Old name" in letter.text) == (notice == "factor-renamed")


@pytest.mark.parametrize(
    ("left", "words"),
    [(0, "It was the last one."), (1, "One is left."), (3, "3 are left."), (4, "4 are left.")],
)
def test_the_last_three_recovery_codes_are_a_reason_to_make_new_ones(write: Write, left: int, words: str) -> None:
    text = said(write("recovery-code-used", {"origin": ORIGIN, "left": left, "few": FEW}))

    assert words in text
    assert ("Make new ones now." in text) == (left <= 3)


@pytest.mark.parametrize("notice", ["browser-trusted", "sign-in-from-new-browser"])
def test_a_browser_that_came_in_can_be_looked_up(write: Write, notice: str) -> None:
    assert SESSIONS in paths(write(notice, SAMPLES[notice][0]).text)
