"""Who may read what a view is about to show: private projects, on an index of any kind.

Whoever asks is looked up only where it matters, so that an open project on an open index costs nothing more and bad
credentials do no harm there. The answer remembers that somebody was looked up: caches must then keep readers apart.
"""

from datetime import datetime

from flask import Response, g, request
from sqlalchemy import ColumnElement

from blueprints import wiring
from blueprints.caller import UNKNOWN_TOKEN, Channel, caller
from blueprints.denials import answer
from domain.identity import tokens
from domain.index import projects, reading
from domain.index.reading import NOBODY, Reader
from domain.policy.actions import Action
from domain.policy.decision import Decision, Denial, Permit, Reason
from domain.policy.judge import judge
from domain.policy.principals import Anonymous, Member, Principal, TokenHolder
from models import Project, begin_writing, db

# What is said to a program whose token could read, were it not for this. Otherwise a token that has ended would turn a
# private name into a free one, and an installer that asks several indexes would take a stranger's package of that name.
TOLD = frozenset({Reason.TOKEN_EXPIRED, Reason.TOKEN_NETWORK, Reason.ACCOUNT_FROZEN})


def may_read(project: Project | None, channel: Channel = Channel.BROWSER) -> bool:
    """Whether there is such a project for whoever asks."""
    return project is not None and (not project.is_private or may_read_private(project.id, channel))


def may_read_private(project_id: int, channel: Channel) -> bool:
    """The same of a private project, by its key."""
    principal = who_asks(channel)
    if not isinstance(principal, Member | TokenHolder):
        return False
    project = db.session.get(Project, project_id)
    if project is None:
        return False
    target = projects.target_of(db.session(), project, principal.account.user_id)
    return isinstance(judge(principal, Action.READ_PRIVATE, target, wiring.services().policy, wiring.now()), Permit)


def reader(channel: Channel = Channel.BROWSER) -> Reader:
    """For whose eyes a list is."""
    principal, decision = who_asks(channel), _in_general(channel)
    if not isinstance(decision, Permit):
        return NOBODY
    if isinstance(principal, TokenHolder) and not principal.reaches_all:
        return Reader(principal.account.user_id, principal.project_ids)
    return Reader(decision.account.user_id)


def visible(channel: Channel = Channel.BROWSER) -> ColumnElement[bool]:
    """The condition under which a list may show a project to whoever asks."""
    return reading.visible_to(reader(channel))


def not_here(usual: Response) -> Response:
    """What a program gets for a name that is not here, or not for it: `usual`, the same of both.

    Where there are private projects, a token that is none, has ended, or may not be used from there is refused aloud,
    again for all such names alike.
    """
    principal, decision = who_asks(Channel.MACHINE), _in_general(Channel.MACHINE)
    if isinstance(decision, Denial) and _is_told(principal, decision) and reading.are_any_private(db.session()):
        return answer(decision, Channel.MACHINE, resume=None, keeps=())  # type: ignore[return-value]  # to programs
    return usual


def _is_told(principal: Principal, denial: Denial) -> bool:
    if isinstance(principal, Anonymous):
        return principal.because == UNKNOWN_TOKEN
    return denial.reason in TOLD


def _in_general(channel: Channel) -> Decision:
    """Whether whoever asks may read private projects at all, be they whose they are."""
    return judge(who_asks(channel), Action.READ_PRIVATE, None, wiring.services().policy, wiring.now())


def who_asks(channel: Channel) -> Principal:
    """Whoever asks, looked up once."""
    if "asks_to_read" not in g:
        g.asks_to_read = caller(channel)
    principal: Principal = g.asks_to_read
    return principal


def is_for_one() -> bool:
    """Whether a program's answer was made for the credentials that came along."""
    return "asks_to_read" in g and "Authorization" in request.headers


def keep_apart(response: Response) -> Response:
    """Have caches know whether a program's answer would be another one for somebody else."""
    if "asks_to_read" in g:
        response.vary.add("Authorization")
    return for_one_reader(response) if is_for_one() else response


def for_one_reader(response: Response) -> Response:
    """No cache between us and the reader may hand it to somebody else (RFC 9111 §5.2.2.7)."""
    kept = response.headers.get("Cache-Control", "")
    if kept.startswith("public"):
        response.headers["Cache-Control"] = kept.replace("public", "private", 1)
    response.vary.add("Authorization")
    return response


def remember_use(holder: TokenHolder, now: datetime) -> None:
    """Have the owner see that the token is in use: once a minute, in a transaction of its own, so that readers do not
    wait for each other."""
    if holder.last_used_at is not None and now - holder.last_used_at < tokens.USED_EVERY:
        return  # no transaction is begun for nothing
    session = db.session()
    begin_writing(session)
    tokens.record_use(session, holder, project_id=None, now=now)
    session.commit()
    session.info["reading"] = True


def remember_reading(now: datetime) -> None:
    """The same on an open index, once the answer is made: of a token that was looked up and may read."""
    principal = g.get("asks_to_read")
    if isinstance(principal, TokenHolder) and isinstance(_in_general(Channel.MACHINE), Permit):
        remember_use(principal, now)
