"""A token from mint to removal: who may act with it, what is kept of it, and who is told."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import tokens
from domain.identity.throttle import TooMany
from domain.identity.token_texts import new_token
from domain.identity.tokens import Wanted
from domain.index import projects
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Denial, Reason
from domain.policy.judge import judge
from domain.policy.principals import Grant, Origin, TokenHolder
from domain.policy.targets import Role, Target
from domain.problems import Problem
from models import ApiToken, Base, Event, Mail, Project, User, db
from tests.browsing import wiring_of
from tests.builders import People
from tests.conftest import START
from tests.crowds import statements
from tests.permits import EVERYONE, ORIGIN, permit_for
from tests.races import at_once
from tests.requirements import requirement

UPLOADER = Origin("198.51.100.24", "uv/0.9.2 {...}")


@pytest.fixture
def mint(notices: Notices, clock: SettableClock) -> Callable[..., tuple[ApiToken, str]]:
    """Mints for somebody: `mint(ana, "ci", projects=…, expires_at=…, longest=…)`."""

    def mint(user: User, description: str = "ci", **changes: Any) -> tuple[ApiToken, str]:
        longest = changes.pop("longest", None)
        wanted, now = Wanted(description, **{"expires_at": None, **changes}), clock.now()
        permit = permit_for(user, Action.CREATE_TOKEN, now=now)
        minted = tokens.mint(db.session(), permit, notices, wanted, held=projects.held, longest=longest, now=now)
        db.session.commit()
        return minted

    return mint


Mint = Callable[..., tuple[ApiToken, str]]


def test_whoever_has_the_text_acts_for_the_owner_within_the_scope(people: People, mint: Mint) -> None:
    ana = people.a_member("ana")
    acme, tide = people.a_project("acme-utils", ana), people.a_project("tide-tables", ana)
    people.a_project("buoy", ana)
    token, text = mint(ana, projects=frozenset({"acme-utils", "tide-tables"}))

    holder = tokens.find(db.session(), text, origin=UPLOADER)

    assert holder is not None
    assert (holder.token_id, holder.account.username, holder.origin) == (token.id, "ana", UPLOADER)
    assert (holder.reaches_all, holder.project_ids) == (False, frozenset({acme.id, tide.id}))
    assert holder.account.has_second_factor


@requirement("R80")
def test_the_text_is_kept_nowhere(people: People, mint: Mint) -> None:
    _, text = mint(people.a_member("ana"))

    kept = [str(row) for table in Base.metadata.sorted_tables for row in db.session.execute(sa.select(table))]

    assert kept
    assert not [row for row in kept if text in row]


@pytest.mark.parametrize("text", ["", "csn_", "x" * 53, "csn_" + "A" * 49, "pypi-AgEIcHlwaS5vcmc", "\0"])
def test_what_is_no_token_never_reaches_the_database(app: Flask, text: str) -> None:
    statements: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    assert tokens.find(db.session(), text, origin=UPLOADER) is None
    assert statements == []


@requirement("R81")
def test_a_token_that_was_removed_or_never_made_finds_nobody(
    people: People, mint: Mint, notices: Notices, clock: SettableClock
) -> None:
    ana = people.a_member("ana")
    token, text = mint(ana)
    stranger = new_token(lambda count: bytes(count))

    tokens.remove(
        db.session(), permit_for(ana, Action.REMOVE_TOKEN, token, now=clock.now()), notices, token, now=clock.now()
    )

    assert tokens.find(db.session(), text, origin=UPLOADER) is None
    assert tokens.find(db.session(), stranger, origin=UPLOADER) is None


@requirement("R81")
def test_a_token_that_has_expired_is_found_and_refused_by_the_judge(
    people: People, mint: Mint, clock: SettableClock
) -> None:
    ana = people.a_member("ana")
    acme = people.a_project("acme-utils", ana)
    _, text = mint(ana, expires_at=clock.now() + timedelta(days=7))
    target = Target(acme, "acme-utils", role=Role.OWNER, project_id=acme.id)

    clock.advance(timedelta(days=7))
    holder = tokens.find(db.session(), text, origin=UPLOADER)

    assert holder is not None
    decision = judge(holder, Action.UPLOAD_FILE, target, EVERYONE, clock.now())
    assert isinstance(decision, Denial)
    assert decision.reason is Reason.TOKEN_EXPIRED


def test_a_token_whose_projects_are_all_gone_reaches_nothing(people: People, mint: Mint, clock: SettableClock) -> None:
    ana = people.a_member("ana")
    acme, other = people.a_project("acme-utils", ana), people.a_project("tide-tables", ana)
    _, text = mint(ana, projects=frozenset({"acme-utils"}))
    db.session.execute(sa.delete(Project).where(Project.id == acme.id))
    db.session.expire_all()

    holder = tokens.find(db.session(), text, origin=UPLOADER)

    assert holder is not None
    assert (holder.reaches_all, holder.project_ids) == (False, frozenset())
    for action, target in (
        (Action.UPLOAD_FILE, Target(other, "tide-tables", role=Role.OWNER, project_id=other.id)),
        (Action.CREATE_PROJECT, None),
    ):
        decision = judge(holder, action, target, EVERYONE, clock.now())
        assert isinstance(decision, Denial)
        assert decision.reason is Reason.TOKEN_SCOPE


def test_the_name_is_unique_within_an_account_only(people: People, mint: Mint) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    mint(ana, "release  laptop ")
    mint(bo, "release laptop")

    with pytest.raises(Problem, match="already in use") as refusal:
        mint(ana, "release laptop")

    assert refusal.value.field == "description"
    assert [token.description for token in tokens.list_of(db.session(), ana.id)] == ["release laptop"]


def test_twenty_five_tokens_are_the_limit(people: People, mint: Mint) -> None:
    ana = people.a_member("ana")
    for number in range(25):
        people.a_token(ana, f"ci {number}")

    with pytest.raises(Problem, match="25 tokens"):
        mint(ana, "one more")

    assert len(tokens.list_of(db.session(), ana.id)) == 25


@requirement("R105")
def test_the_fifty_first_new_token_within_an_hour_waits(
    people: People, mint: Mint, notices: Notices, clock: SettableClock
) -> None:
    ana = people.a_member("ana")
    for _ in range(50):
        token, _ = mint(ana)
        tokens.remove(
            db.session(), permit_for(ana, Action.REMOVE_TOKEN, token, now=clock.now()), notices, token, now=clock.now()
        )
        db.session.commit()

    with pytest.raises(TooMany, match="Too many new API tokens"):
        mint(ana)

    clock.advance(timedelta(hours=1))
    mint(ana)


@pytest.mark.parametrize("which", ["none", "another's", "one's own and another's", "no one's"])
def test_a_token_reaches_only_projects_that_its_owner_has_a_part_in(people: People, mint: Mint, which: str) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    people.a_project("acme-utils", ana)
    people.a_project("buoy", bo)
    names = {"none": [], "another's": ["buoy"], "one's own and another's": ["acme-utils", "buoy"], "no one's": ["gone"]}

    with pytest.raises(Problem) as refusal:
        mint(ana, projects=frozenset(names[which]))

    assert refusal.value.field == "scope"
    assert tokens.list_of(db.session(), ana.id) == []


@pytest.mark.parametrize("by", ["a team", "the organization"])
def test_a_role_that_is_lent_is_enough(people: People, mint: Mint, by: str) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    owner, member = (ana, bo) if by == "the organization" else (bo, ana)
    harbour = people.an_organization("harbour", owner, members=(member,))
    crane = people.an_organizations_project("crane", harbour)
    people.a_team("Crew", harbour, members=(member,), projects=((crane, "maintainer"),))

    token, _ = mint(ana, projects=frozenset({"Crane"}))

    assert token.projects == [crane]


def test_a_token_may_do_what_it_was_made_for_from_where_it_was_made_for(people: People, mint: Mint) -> None:
    ana = people.a_member("ana")

    _, text = mint(ana, grants=frozenset({Grant.YANK}), networks=("192.0.2.0/24",))

    holder = holder_of(text, UPLOADER)
    assert (holder.grants, holder.networks, holder.reaches_all) == (frozenset({Grant.YANK}), ("192.0.2.0/24",), True)


def test_a_token_for_one_new_project_reaches_nothing_yet(people: People, mint: Mint) -> None:
    ana = people.a_member("ana")
    people.a_project("acme-utils", ana)

    _, text = mint(ana, creates_project=True)

    holder = holder_of(text, UPLOADER)
    assert (holder.creates_project, holder.reaches_all, holder.project_ids) == (True, False, frozenset())


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"grants": frozenset()}, "grants"),
        ({"grants": frozenset({Grant.YANK}), "creates_project": True}, "grants"),
        ({"longest": timedelta(days=30)}, "expires"),
        ({"longest": timedelta(days=30), "expires_at": START + timedelta(days=31)}, "expires"),
    ],
)
def test_what_no_token_may_be_is_refused(people: People, mint: Mint, wanted: dict[str, Any], field: str) -> None:
    ana = people.a_member("ana")

    with pytest.raises(Problem) as refusal:
        mint(ana, **wanted)

    assert refusal.value.field == field
    assert tokens.list_of(db.session(), ana.id) == []


def test_a_token_may_live_as_long_as_the_longest(people: People, mint: Mint, clock: SettableClock) -> None:
    ends = clock.now() + timedelta(days=30)

    token, _ = mint(people.a_member("ana"), expires_at=ends, longest=timedelta(days=30))

    assert token.expires_at == ends


def test_a_maintainer_may_have_a_token_for_the_project(people: People, mint: Mint) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    people.a_project("acme-utils", ana, maintainers=(bo,))

    token, _ = mint(bo, projects=frozenset({"acme-utils"}))

    assert [project.name for project in token.projects] == ["acme-utils"]


def test_the_owner_is_told_of_a_new_token_and_of_its_removal(
    people: People, mint: Mint, notices: Notices, clock: SettableClock
) -> None:
    ana = people.a_member("ana")
    people.a_project("acme-utils", ana)

    token, text = mint(ana, projects=frozenset({"acme-utils"}), expires_at=clock.now() + timedelta(days=30))
    permit = permit_for(ana, Action.REMOVE_TOKEN, token, now=clock.now())
    tokens.remove(db.session(), permit, notices, token, now=clock.now())

    letters = [notices.read(mail) for mail in db.session.scalars(sa.select(Mail).order_by(Mail.id))]
    assert [(letter.notice, letter.to) for letter in letters] == [
        ("token-added", "ana@mail.example"),
        ("token-removed", "ana@mail.example"),
    ]
    assert "It may upload in acme-utils." in letters[0].text
    assert "It works from any network." in letters[0].text
    assert "It ends on 22 Dec 2026, 14:05 UTC." in letters[0].text
    for letter in letters:
        for part in (letter.text, letter.html):
            assert "“ci”" in part
            assert "203.0.113.7" in part
            assert "Firefox" in part
            assert "If this was not you, " in part
            assert text not in part
    events = list(db.session.scalars(sa.select(Event).order_by(Event.id)))
    assert [event.tag for event in events] == ["account:token:added", "account:token:removed"]
    assert [event.user_id for event in events] == [ana.id, ana.id]
    assert events[0].details == {"token": "ci", "reach": ["acme-utils"], "grants": ["upload"], "networks": []}


def test_removing_twice_tells_once(people: People, notices: Notices, clock: SettableClock) -> None:
    ana = people.a_member("ana")
    token, _ = people.a_token(ana)
    permit = permit_for(ana, Action.REMOVE_TOKEN, token, now=clock.now())

    for _ in range(2):
        tokens.remove(db.session(), permit, notices, token, now=clock.now())

    assert db.session.scalar(sa.select(sa.func.count()).select_from(Mail)) == 1


@requirement("R80")
@pytest.mark.parametrize(
    ("user_agent", "client"),
    [
        # as seen on the wire: twine 6.2, uv 0.9, poetry 2.2, hatch 1.14 (python-httpx), flit 3.12
        ("twine/6.2.0 pkginfo/1.12.1.2 setuptools/80.9.0 requests/2.32.5 CPython/3.12.4", "twine"),
        ('uv/0.9.2 {"installer":{"name":"uv","version":"0.9.2"}}', "uv"),
        ("poetry/2.2.1 CPython/3.12.4 Linux/6.1.0", "poetry"),
        ("python-httpx/0.28.1", "python-httpx"),
        ("flit", "flit"),
        ("", None),
        ("<script>", None),
        ("\x00\x1b[31m", None),
    ],
)
def test_the_last_use_is_remembered_with_its_client_and_address(
    people: People, clock: SettableClock, user_agent: str, client: str | None
) -> None:
    ana = people.a_member("ana")
    acme = people.a_project("acme-utils", ana)
    token, text = people.a_token(ana)

    holder = holder_of(text, Origin("198.51.100.24", user_agent))
    tokens.record_use(db.session(), holder, project_id=acme.id, now=clock.now())

    db.session.refresh(token)
    used = (token.last_used_at, token.last_used_with, token.last_used_from, token.last_used_project)
    assert used == (clock.now(), client, "198.51.100.24", acme)


def test_the_last_use_is_written_once_a_minute_at_most(people: People, clock: SettableClock) -> None:
    ana = people.a_member("ana")
    acme = people.a_project("acme-utils", ana)
    token, text = people.a_token(ana)
    seen: list[datetime | None] = []

    for wait in (0, 30, 29, 1):
        clock.advance(timedelta(seconds=wait))
        tokens.record_use(db.session(), holder_of(text, UPLOADER), project_id=acme.id, now=clock.now())
        db.session.refresh(token)
        seen.append(token.last_used_at)

    start = clock.now() - timedelta(minutes=1)
    assert seen == [start, start, start, clock.now()]


def test_a_token_is_asked_for_by_one_statement_and_its_projects_by_another(people: People) -> None:
    ana = people.a_member("ana")
    acme = people.a_project("acme-utils", ana)
    whole, chosen = people.a_token(ana)[1], people.a_token(ana, "chosen", projects=(acme,))[1]

    for text, most, ids in ((whole, 1, frozenset[int]()), (chosen, 2, frozenset({acme.id}))):
        db.session.rollback()
        with statements() as asked:
            holder = holder_of(text, UPLOADER)
        assert (len(asked), holder.project_ids) == (most, ids)


def test_another_project_is_remembered_at_once(people: People, clock: SettableClock) -> None:
    ana = people.a_member("ana")
    acme, tide = people.a_project("acme-utils", ana), people.a_project("tide-tables", ana)
    token, text = people.a_token(ana)
    tokens.record_use(db.session(), holder_of(text, UPLOADER), project_id=acme.id, now=clock.now())

    tokens.record_use(db.session(), holder_of(text, UPLOADER), project_id=tide.id, now=clock.now())

    db.session.refresh(token)
    assert token.last_used_project == tide


def holder_of(text: str, origin: Origin) -> TokenHolder:
    holder = tokens.find(db.session(), text, origin=origin)
    assert holder is not None
    return holder


def test_the_permit_says_from_where(people: People, mint: Mint) -> None:
    mint(people.a_member("ana"))

    event = db.session.scalars(sa.select(Event)).one()

    assert (event.address, event.user_agent) == (ORIGIN.address, ORIGIN.user_agent)


def test_of_forms_sent_at_once_as_many_are_taken_as_the_rules_allow(either_app: Flask, clock: SettableClock) -> None:
    people, now = People(either_app, clock), clock.now()
    user_ids = {"room for one": people.a_member("ana").id, "one name": people.a_member("bo").id}
    for number in range(24):
        people.a_token(db.session.get_one(User, user_ids["room for one"]), f"ci {number}")
    db.session.remove()

    def mint(user_id: int, description: str) -> None:
        user = db.session.get_one(User, user_id)
        permit = permit_for(user, Action.CREATE_TOKEN, now=now)
        outbox = wiring_of(either_app).notices
        wanted = Wanted(description, expires_at=None)
        tokens.mint(db.session(), permit, outbox, wanted, held=projects.held, longest=None, now=now)

    at_the_limit = at_once(
        either_app, *(partial(mint, user_ids["room for one"], f"new {number}") for number in range(4))
    )
    same_name = at_once(either_app, *(partial(mint, user_ids["one name"], "ci") for _ in range(4)))

    assert at_the_limit.count(None) == 1
    assert same_name.count(None) == 1
