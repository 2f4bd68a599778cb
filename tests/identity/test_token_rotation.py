"""A token's secret is replaced: the former one works for as long as was chosen, and never longer than it would have."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import token_rotation, tokens
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit, Reason
from domain.policy.judge import judge
from domain.policy.principals import Origin
from domain.problems import Problem
from models import ApiToken, Base, Event, Mail, User, db
from tests.browsing import wiring_of
from tests.builders import People
from tests.permits import EVERYONE, permit_for
from tests.races import at_once

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
Rotate = Callable[..., str]


@pytest.fixture
def ana(people: People) -> User:
    """Whose tokens they are."""
    return people.a_member("ana")


@pytest.fixture
def rotate(notices: Notices, clock: SettableClock, ana: User) -> Rotate:
    """Replaces the secret of a token of hers: `rotate(token, overlap=…, longest=…)`; returns the new one."""

    def rotate(token: ApiToken, **changes: Any) -> str:
        now = clock.now()
        values: dict[str, Any] = {"replaces": "", "overlap": DAY, "longest": None, **changes}
        permit = permit_for(ana, Action.ROTATE_TOKEN, token, now=now)
        text = token_rotation.rotate(db.session(), permit, notices, token, now=now, **values)
        db.session.commit()
        return text

    return rotate


def works(text: str, clock: SettableClock) -> bool:
    """Whether a program may create a project with it now."""
    holder = tokens.find(db.session(), text, origin=Origin())
    if holder is None:
        return False
    decision = judge(holder, Action.CREATE_PROJECT, None, EVERYONE, clock.now())
    assert isinstance(decision, Permit) or decision.reason is Reason.TOKEN_EXPIRED
    return isinstance(decision, Permit)


@pytest.mark.parametrize("overlap", [timedelta(0), HOUR, DAY, WEEK])
def test_the_former_secret_works_until_the_overlap_ends(
    people: People, ana: User, rotate: Rotate, clock: SettableClock, overlap: timedelta
) -> None:
    token, former = people.a_token(ana)

    new = rotate(token, overlap=overlap)

    assert works(new, clock)
    assert works(former, clock) == (overlap > timedelta(0))
    clock.advance(overlap)
    assert not works(former, clock)
    assert works(new, clock)


def test_a_rotation_once_more_ends_the_secret_before_the_former_one(
    people: People, ana: User, rotate: Rotate, clock: SettableClock
) -> None:
    token, first = people.a_token(ana)

    second = rotate(token)
    third = rotate(token)

    assert [works(text, clock) for text in (first, second, third)] == [False, True, True]
    assert tokens.find(db.session(), first, origin=Origin()) is None


@pytest.mark.parametrize(
    ("made_for", "longest", "lives"),
    [(None, None, None), (30, None, 30), (30, 90, 30), (365, 90, 90), (None, 90, 90)],
)
def test_a_token_lives_anew_for_as_long_as_it_was_made_for_and_may(
    people: People,
    ana: User,
    rotate: Rotate,
    clock: SettableClock,
    made_for: int | None,
    longest: int | None,
    lives: int | None,
) -> None:
    token, _ = people.a_token(ana, expires_at=clock.now() + timedelta(days=made_for) if made_for else None)
    clock.advance(timedelta(days=20))

    for _ in range(2):  # the length stays, however often
        rotate(token, longest=timedelta(days=longest) if longest else None)
        assert token.expires_at == (clock.now() + timedelta(days=lives) if lives else None)
        clock.advance(timedelta(days=3))


def test_a_former_secret_never_works_longer_than_it_would_have(
    people: People, ana: User, rotate: Rotate, clock: SettableClock
) -> None:
    token, former = people.a_token(ana, expires_at=clock.now() + HOUR)

    rotate(token, overlap=WEEK)

    assert token.former_until == clock.now() + HOUR
    clock.advance(HOUR)
    assert not works(former, clock)


def test_a_secret_that_had_ended_stays_so(people: People, ana: User, rotate: Rotate, clock: SettableClock) -> None:
    token, former = people.a_token(ana, expires_at=clock.now() + HOUR)
    clock.advance(DAY)

    new = rotate(token, overlap=WEEK)

    assert works(new, clock)
    assert tokens.find(db.session(), former, origin=Origin()) is None


def test_the_former_secret_can_be_ended_at_once(
    people: People, ana: User, rotate: Rotate, notices: Notices, clock: SettableClock
) -> None:
    token, former = people.a_token(ana)
    new = rotate(token)
    permit = permit_for(ana, Action.ROTATE_TOKEN, token, now=clock.now())

    for _ in range(2):
        token_rotation.end_former(db.session(), permit, notices, token, now=clock.now())

    assert (works(former, clock), works(new, clock)) == (False, True)
    assert db.session.scalars(sa.select(Mail.notice).order_by(Mail.id)).all() == ["token-rotated", "token-former-ended"]
    assert db.session.scalars(sa.select(Event.tag).order_by(Event.id)).all() == [
        "account:token:rotated",
        "account:token:former_ended",
    ]


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), WEEK + timedelta(seconds=1)])
def test_another_overlap_is_refused(people: People, ana: User, rotate: Rotate, overlap: timedelta) -> None:
    token, _ = people.a_token(ana)
    kept = token.token_hash

    with pytest.raises(Problem) as refusal:
        rotate(token, overlap=overlap)

    assert refusal.value.field == "overlap"
    assert token.token_hash == kept


def test_no_secret_is_kept_or_mailed(people: People, ana: User, rotate: Rotate, notices: Notices) -> None:
    token, former = people.a_token(ana)

    new = rotate(token)

    kept = [str(row) for table in Base.metadata.sorted_tables for row in db.session.execute(sa.select(table))]
    letters = [notices.read(mail) for mail in db.session.scalars(sa.select(Mail))]
    for text in (former, new):
        assert not [row for row in kept if text in row]
        assert not [letter for letter in letters if text in letter.text + letter.html]


def test_of_rotations_at_once_one_wins_and_the_former_secret_lives(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    ana = people.a_member("ana")
    token, former = people.a_token(ana)
    user_id, token_id, seen = ana.id, token.id, token.hint
    db.session.remove()

    def rotate() -> None:
        row = db.session.get_one(ApiToken, token_id)
        permit = permit_for(db.session.get_one(User, user_id), Action.ROTATE_TOKEN, row, now=clock.now())
        values: dict[str, Any] = {"replaces": seen, "overlap": DAY, "longest": None, "now": clock.now()}
        token_rotation.rotate(db.session(), permit, wiring_of(either_app).notices, row, **values)

    refusals = at_once(either_app, *(partial(rotate) for _ in range(4)))

    assert refusals.count(None) == 1
    assert works(former, clock)


def test_all_tokens_go_at_once_and_one_mail_names_them(
    people: People, ana: User, notices: Notices, clock: SettableClock
) -> None:
    bo = people.a_member("bo")
    acme = people.a_project("acme-utils", ana)
    texts = [people.a_token(ana, "ci", projects=(acme,))[1], people.a_rotated_token(ana, "laptop")[1]]
    _, others = people.a_token(bo)

    removed = [
        tokens.remove_all(
            db.session(), permit_for(ana, Action.REMOVE_ALL_TOKENS, now=clock.now()), notices, now=clock.now()
        )
        for _ in range(2)
    ]

    assert removed == [2, 0]
    assert [works(text, clock) for text in texts] == [False, False]
    assert works(others, clock)
    letter = notices.read(db.session.scalars(sa.select(Mail)).one())
    assert "“laptop”, “ci”" in letter.text
    event = db.session.scalars(sa.select(Event)).one()
    assert (event.tag, event.details) == ("account:token:all_removed", {"count": 2, "tokens": "laptop, ci"})


def test_a_token_that_was_removed_meanwhile_is_given_no_secret(
    people: People, ana: User, rotate: Rotate, clock: SettableClock, notices: Notices
) -> None:
    token, former = people.a_token(ana)
    permit = permit_for(ana, Action.ROTATE_TOKEN, token, now=clock.now())
    db.session.execute(sa.delete(ApiToken).where(ApiToken.id == token.id))
    db.session.commit()

    with pytest.raises(Problem, match="removed meanwhile"):
        token_rotation.rotate(
            db.session(), permit, notices, token, replaces="", overlap=DAY, longest=None, now=clock.now()
        )

    assert not works(former, clock)
