"""Fills an index with what is measured: accounts, the projects of the corpus, and somebody who keeps very much."""

import hashlib
import secrets
import timeit
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
import sqlalchemy as sa
from flask import Flask
from packaging.version import Version

from app import create_app
from bench import corpus
from blueprints import wiring
from blueprints.browser_session import cookie_name
from blueprints.gate import management_action
from config import Settings
from domain.identity import sessions, tokens
from domain.identity.factors import secret_context
from domain.identity.sessions import Level
from domain.identity.standing import standing_of
from domain.index import pages, projects
from domain.index.versions import version_key
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.judge import judge
from domain.policy.principals import Member, Origin
from models import Email, File, Organization, OrganizationMember, Project, ProjectRole, Release, TotpApp, User, db
from tests.crowds import many_events, many_people, many_projects, many_releases

TIMES = 20  # sign-ins
REFUSALS = 200  # refused sign-ins of accounts, and as many of nobody
PASSWORD = "correct horse battery staple 9"
JUDGED = 20_000
ORIGIN = Origin("127.0.0.1", "bench")


@dataclass(frozen=True)
class Seeded:
    """What the measurements need.

    people: username and base32 secret of accounts that have an authenticator app, each for one sign-in.
    refused: usernames of others, each for one refused sign-in.
    token: of somebody who may upload to every project.
    decision_us: microseconds of one decision. statements: of SQL, before a gated view is entered.
    """

    people: list[tuple[str, str]]
    refused: list[str]
    token: str
    decision_us: float
    statements: int


def seed(settings: Settings) -> Seeded:
    """Fill the index of these settings, and measure what needs no server."""
    with inside(settings) as app:
        password_hash = wiring.services().hasher.hash(PASSWORD)
        people = [_a_person(f"bench-{number}", password_hash) for number in range(TIMES)]
        refused = [_a_person(f"refused-{number}", password_hash)[0].username for number in range(REFUSALS)]
        owner = people[0][0]
        _projects(owner)
        db.session.commit()  # minting counts a try first, and drops what was not kept
        permit = _permit(owner, Action.CREATE_TOKEN)
        _, token = tokens.mint(
            db.session(),
            permit,
            wiring.services().notices,
            tokens.Wanted("bench", expires_at=None),
            held=projects.held,
            longest=None,
            now=wiring.now(),
        )
        db.session.commit()
        return Seeded(
            people=[(user.username, secret) for user, secret in people],
            refused=refused,
            token=token,
            decision_us=_time_decision(permit.member),
            statements=_count_statements(app, owner),
        )


def seed_very_much(settings: Settings) -> str:
    """Add somebody who keeps very much, and return the cookie of a browser that is signed in as them."""
    with inside(settings):
        handle = _signed_in(_a_keeper_of_very_much(wiring.services().hasher.hash(PASSWORD)))
        return f"{cookie_name()}={handle}"


def seed_many_projects(settings: Settings) -> None:
    """Add projects until there are ten thousand."""
    with inside(settings):
        here = db.session.scalar(sa.select(sa.func.count()).select_from(Project)) or 0
        owner = db.session.scalars(sa.select(User).order_by(User.id)).first()
        assert owner is not None
        many_projects(corpus.MANY_NAMES - here, owner=owner, now=wiring.now(), prefix="more")


@contextmanager
def inside(settings: Settings) -> Iterator[Flask]:
    """Within the application of these settings, of which nothing stays open."""
    app = create_app(settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def _a_person(username: str, password_hash: str) -> tuple[User, str]:
    """Somebody verified, with an authenticator app and its secret."""
    now = wiring.now()
    address = f"{username}@mail.example"
    email = Email(address=address, address_key=address, is_primary=True, added_at=now, verified_at=now)
    user = User(
        username=username,
        username_key=username,
        password_hash=password_hash,
        password_changed_at=now,
        registered_at=now,
        recovery_codes_confirmed_at=now,
        emails=[email],
    )
    db.session.add(user)
    db.session.flush()
    secret, public_id = pyotp.random_base32(), secrets.token_hex(8)
    context = secret_context(user_id=user.id, public_id=public_id)
    sealed = wiring.services().box.seal(secret.encode(), context=context)
    app = TotpApp(
        public_id=public_id, user_id=user.id, label="My phone", secret_sealed=sealed, last_step=0, added_at=now
    )
    db.session.add(app)
    db.session.commit()
    return user, secret


def _projects(owner: User) -> None:
    """The files of those that are asked for; of the others only what the root list says."""
    plain = [name for name in corpus.projects() if name.startswith(corpus.OTHERS)]
    for name, files in corpus.projects().items():
        if name not in plain:
            _a_project(name, owner, files)
    many_projects(len(plain), owner=owner, now=wiring.now(), prefix=corpus.OTHERS)


def _a_project(name: str, owner: User, files: Sequence[corpus.Kept]) -> None:
    """A project with its releases; the bytes of its wheels are nowhere, for nobody asks for them."""
    now = wiring.now()
    project = Project(
        name=name, normalized_name=name, lookalike_key=name, created_at=now, updated_at=now, summary="For measuring."
    )
    project.roles = [ProjectRole(user_id=owner.id, role="owner", since=now)]
    releases = {version: _a_release(project, version) for version, _ in files}
    for number, (version, tag) in enumerate(files):
        filename = f"{name.replace('-', '_')}-{version}-{tag}.whl"
        releases[version].files.append(_a_file(filename, uploaded_at=now + timedelta(seconds=number)))
    db.session.add_all([project, *releases.values()])
    db.session.flush()
    pages.refresh(db.session(), project)
    db.session.commit()


def _a_release(project: Project, version: str) -> Release:
    return Release(
        project=project,
        version=version,
        version_key=version_key(Version(version)),
        is_prerelease=False,
        created_at=wiring.now(),
        summary="For measuring.",
        requires_python=">=3.11",
        description_html="<p>For measuring.</p>",
        core_metadata={"name": project.name, "version": version},
        files=[],
    )


def _a_file(filename: str, *, uploaded_at: datetime) -> File:
    digest = hashlib.sha256(filename.encode()).hexdigest()
    return File(
        filename=filename,
        kind="bdist_wheel",
        tags="Wheel for any Python 3",
        size_bytes=corpus.SMALL_BYTES,
        sha256=digest,
        blake2_256=digest,
        metadata_sha256=digest,
        requires_python=">=3.11",
        uploaded_at=uploaded_at,
    )


def _permit(owner: User, action: Action) -> Permit:
    account, now = standing_of(db.session(), owner.id), wiring.now()
    assert account is not None
    member = Member(ORIGIN, account, session_id=0, confirmed_at=now)
    decision = judge(member, action, None, wiring.services().policy, now)
    assert isinstance(decision, Permit)
    return decision


def _time_decision(member: Member) -> float:
    """Microseconds of one decision that asks every question: the median of five rounds."""
    policy, now = wiring.services().policy, wiring.now()
    rounds = timeit.repeat(lambda: judge(member, Action.CREATE_TOKEN, None, policy, now), number=JUDGED // 5, repeat=5)
    return sorted(rounds)[2] / (JUDGED // 5) * 1e6


def _count_statements(app: Flask, owner: User) -> int:
    """Statements that a request of somebody signed in runs before its gated view is entered; BEGIN is not counted."""
    ran: list[str] = []

    @app.get("/bench/")
    @management_action(Action.CREATE_TOKEN)
    def probe(permit: Permit) -> str:
        return str(len(ran))

    @sa.event.listens_for(db.engine, "before_cursor_execute")
    def note(
        connection: object, cursor: object, statement: str, parameters: object, context: object, executemany: bool
    ) -> None:
        if not statement.startswith("BEGIN"):
            ran.append(statement)

    handle = _signed_in(owner)
    client = app.test_client()
    client.set_cookie(cookie_name(), handle)
    db.session.remove()
    ran.clear()
    answer = client.get("/bench/", base_url=wiring.services().site.public_url)
    assert answer.status_code == 200, answer.status
    return int(answer.text)


def _signed_in(user: User) -> str:
    """The handle of a session of theirs that is fresh."""
    now = wiring.now()
    row, _ = sessions.start(db.session(), origin=ORIGIN, now=now)
    handle = sessions.step_up(
        db.session(),
        row,
        user_id=user.id,
        level=Level.FULL,
        method="bench",
        origin=ORIGIN,
        now=now,
        confirmed_at=now,
    )
    db.session.commit()
    return handle


def _a_keeper_of_very_much(password_hash: str) -> User:
    """Owns a thousand projects, one of them with a thousand releases and ten thousand events, and an organization."""
    user, now = _a_person("keeper", password_hash)[0], wiring.now()
    organization = Organization(name="harbour", name_key="harbour", display_name="Harbour", created_at=now)
    project = Project(name="crowd", normalized_name="crowd", lookalike_key="crowd", created_at=now, updated_at=now)
    project.roles = [ProjectRole(user_id=user.id, role="owner", since=now)]
    db.session.add_all([organization, project])
    db.session.flush()
    db.session.add(OrganizationMember(organization_id=organization.id, user_id=user.id, role="owner", since=now))
    many_projects(1_000, owner=user, now=now, prefix="mine")
    many_projects(1_000, owner=user, now=now, organization=organization, prefix="harbour")
    many_releases(1_000, project=project, now=now)
    many_events(10_000, user=user, now=now, project=project, organization=organization)
    many_people(100, project=project, organization=organization, now=now)
    return user
