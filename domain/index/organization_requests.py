"""Wishes for organizations: made, asked about, answered, decided."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, joinedload

from domain import journal, naming
from domain.index import organization_facts
from domain.index.organization_facts import Facts
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import OrganizationRole, Target
from domain.problems import Problem
from models import Organization, OrganizationMember, OrganizationRequest, User
from models.organization import organization_key

MIN_PURPOSE, MAX_PURPOSE, MAX_TEXT = 32, 1024, 1024
MOST_OPEN = 3
PAGE = 50
OPEN, ASKED, APPROVED, DECLINED = "open", "asked", "approved", "declined"
UNDECIDED = (OPEN, ASKED)


@dataclass(frozen=True)
class Wish:
    """What somebody wants: a name, what the organization says of itself, and what it is for."""

    name: str
    facts: Facts
    purpose: str


@dataclass(frozen=True)
class Leaf:
    """One page of requests. older: what `before` the next page begins; None where this is the last."""

    requests: list[OrganizationRequest]
    older: int | None


def target_of(request: OrganizationRequest) -> Target:
    """A request, which is its maker's."""
    return Target(request, request.name, owner_id=request.user_id)


def of_user(db: Session, user_id: int, *, most: int = PAGE) -> list[OrganizationRequest]:
    """Somebody's requests, newest first, but for those that became an organization."""
    theirs = select(OrganizationRequest).where(
        OrganizationRequest.user_id == user_id, OrganizationRequest.status != APPROVED
    )
    return list(db.scalars(theirs.order_by(OrganizationRequest.id.desc()).limit(most)))


def find(db: Session, request_id: int) -> OrganizationRequest | None:
    """The request of this id, with who made it."""
    return db.scalar(_with_maker().where(OrganizationRequest.id == request_id))


def leaf(db: Session, *, undecided: bool, before: int | None = None, most: int = PAGE) -> Leaf:
    """Requests that wait for a decision, or those that have one; newest first, older than the request `before`."""
    is_undecided = OrganizationRequest.status.in_(UNDECIDED)
    found = _with_maker().where(is_undecided if undecided else ~is_undecided)
    if before is not None:
        found = found.where(OrganizationRequest.id < before)
    rows = list(db.scalars(found.order_by(OrganizationRequest.id.desc()).limit(most + 1)))
    return Leaf(rows[:most], older=rows[most - 1].id if len(rows) > most else None)


def rivals_of(db: Session, request: OrganizationRequest) -> list[OrganizationRequest]:
    """The other requests for the same name that wait for a decision, oldest first."""
    same = OrganizationRequest.name_key == request.name_key
    others = _with_maker().where(same, OrganizationRequest.id != request.id)
    return list(db.scalars(others.where(OrganizationRequest.status.in_(UNDECIDED)).order_by(OrganizationRequest.id)))


def make(db: Session, permit: Permit, notices: Notices, wish: Wish, *, now: datetime) -> OrganizationRequest:
    """Ask the administrators for an organization; each of them gets a mail.

    Raises Problem at the field: a name that cannot be had, texts that do not fit, a request of one's own for that name
    that waits already, or three that wait. The caller counts the try in `throttle.REQUEST_ORGANIZATION`.
    """
    permit.covers(Action.REQUEST_ORGANIZATION)
    # Two requests at once must not be a fourth. NO KEY: an approval that makes this user an owner need not wait.
    user = db.get_one(User, permit.account.user_id, with_for_update={"key_share": True})
    facts = organization_facts.clean(wish.facts)
    purpose = naming.clean_text(wish.purpose, field="purpose", most=MAX_PURPOSE)
    if len(purpose) < MIN_PURPOSE:
        raise Problem(f"Say in at least {MIN_PURPOSE} characters what the organization is for.", field="purpose")
    organization_facts.check_free(db, wish.name)
    _check_own(db, user, organization_key(wish.name))
    request = OrganizationRequest(
        name=wish.name,
        name_key=organization_key(wish.name),
        display_name=facts.display_name,
        url=facts.url,
        description=facts.description,
        purpose=purpose,
        user=user,
        created_at=now,
    )
    db.add(request)
    db.flush()
    _record(db, permit, "made", request, now=now)
    _tell_administrators(db, permit, notices, "organization-requested", request, now=now)
    return request


def answer(
    db: Session, permit: Permit, notices: Notices, request: OrganizationRequest, *, text: str, now: datetime
) -> None:
    """Answer the administrators' question. Raises Problem if none waits, or the text does not fit."""
    permit.covers(Action.ANSWER_QUESTION, request)
    said = _some_text(text, field="answer", empty="Write an answer.")
    _move(db, request, since=(ASKED,), status=OPEN, answer=said)
    _record(db, permit, "answered", request, now=now)
    _tell_administrators(db, permit, notices, "organization-question-answered", request, now=now)


def withdraw(db: Session, permit: Permit, request: OrganizationRequest, *, now: datetime) -> None:
    """Take one's own request back. Raises Problem if it is decided already."""
    permit.covers(Action.WITHDRAW_REQUEST, request)
    _move(db, request, since=UNDECIDED, status=request.status)
    _record(db, permit, "withdrawn", request, now=now)
    db.delete(request)
    db.flush()


def ask(
    db: Session, permit: Permit, notices: Notices, request: OrganizationRequest, *, text: str, now: datetime
) -> None:
    """Ask whoever made the request; their answer brings it back. Raises Problem if it is decided, or a question
    waits already."""
    permit.covers(Action.DECIDE_REQUEST, request)
    question = _some_text(text, field="text", empty="Write the question.")
    _move(db, request, since=(OPEN,), status=ASKED, question=question, answer="")
    _record(db, permit, "asked", request, now=now)
    _tell_maker(db, permit, notices, "organization-question", request, now=now)


def approve(
    db: Session, permit: Permit, notices: Notices, request: OrganizationRequest, *, now: datetime
) -> Organization:
    """Make the organization, with whoever asked for it as its owner. Other requests for the name are declined.

    Raises Problem if another administrator was quicker, the name is gone, or whoever asked for it is frozen.
    """
    permit.covers(Action.DECIDE_REQUEST, request)
    organization_facts.check_free(db, request.name)  # first: all who decide about this name wait here for each other
    _decide(db, permit, request, APPROVED, "", now=now)
    if not request.user.is_active:
        raise Problem(f"{request.user.username} is frozen, and cannot own an organization.")
    organization = Organization(
        name=request.name,
        name_key=request.name_key,
        display_name=request.display_name,
        url=request.url,
        description=request.description,
        created_at=now,
    )
    db.add(organization)
    db.flush()
    owner = OrganizationRole.OWNER.word
    db.add(OrganizationMember(organization=organization, user=request.user, role=owner, since=now))
    db.flush()
    _record(db, permit, "approved", request, now=now, organization_id=organization.id)
    _tell_maker(db, permit, notices, "organization-approved", request, now=now)
    for rival in rivals_of(db, request):
        _decline(db, permit, notices, rival, "Another request for this name was approved.", now=now)
    return organization


def decline(
    db: Session, permit: Permit, notices: Notices, request: OrganizationRequest, *, text: str, now: datetime
) -> None:
    """Turn the request down, with a reason. Raises Problem if it is decided already."""
    permit.covers(Action.DECIDE_REQUEST, request)
    reason = _some_text(text, field="text", empty="Write the reason.")
    _decline(db, permit, notices, request, reason, now=now)


def _decline(
    db: Session, permit: Permit, notices: Notices, request: OrganizationRequest, reason: str, *, now: datetime
) -> None:
    _decide(db, permit, request, DECLINED, reason, now=now)
    _record(db, permit, "declined", request, now=now)
    _tell_maker(db, permit, notices, "organization-declined", request, now=now)


def _check_own(db: Session, user: User, key: str) -> None:
    undecided = select(OrganizationRequest.name_key).where(
        OrganizationRequest.user_id == user.id, OrganizationRequest.status.in_(UNDECIDED)
    )
    waiting = db.scalars(undecided).all()
    if key in waiting:
        raise Problem("You have asked for this name already. The administrators will answer.", field="name")
    if len(waiting) >= MOST_OPEN:
        raise Problem("Three of your requests wait for an answer. Wait for it, or withdraw one.")


def _some_text(text: str, *, field: str, empty: str) -> str:
    said = naming.clean_text(text, field=field, most=MAX_TEXT)
    if not said:
        raise Problem(empty, field=field)
    return said


def _decide(
    db: Session, permit: Permit, request: OrganizationRequest, status: str, reason: str, *, now: datetime
) -> None:
    by = permit.account.user_id
    _move(db, request, since=UNDECIDED, status=status, reason=reason, decided_at=now, decided_by_id=by)


def _move(db: Session, request: OrganizationRequest, *, since: tuple[str, ...], **values: object) -> None:
    """Give the request another state by one statement: of two who do so at once, one does. Raises Problem for the
    other."""
    moved = db.execute(
        update(OrganizationRequest)
        .where(OrganizationRequest.id == request.id, OrganizationRequest.status.in_(since))
        .values(values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(moved, CursorResult)  # noqa: S101 - an UPDATE has a row count
    if moved.rowcount != 1:
        raise Problem("Somebody else was quicker: this request has changed since. Look at it again.")
    db.refresh(request)


def _with_maker() -> Select[OrganizationRequest]:
    return select(OrganizationRequest).options(joinedload(OrganizationRequest.user))


def _tell_administrators(
    db: Session, permit: Permit, notices: Notices, notice: str, request: OrganizationRequest, *, now: datetime
) -> None:
    for user in db.scalars(select(User).where(User.is_admin, User.is_active).order_by(User.id)):
        _tell(db, permit, notices, notice, user, request, now=now)


def _tell_maker(
    db: Session, permit: Permit, notices: Notices, notice: str, request: OrganizationRequest, *, now: datetime
) -> None:
    _tell(db, permit, notices, notice, request.user, request, now=now)


def _tell(
    db: Session,
    permit: Permit,
    notices: Notices,
    notice: str,
    user: User,
    request: OrganizationRequest,
    *,
    now: datetime,
) -> None:
    facts: dict[str, object] = {"wish": request, "by": permit.account.username}
    if user.id == permit.account.user_id:
        facts["origin"] = permit.principal.origin
    notices.tell(db, user, notice, now=now, **facts)


def _record(
    db: Session,
    permit: Permit,
    what: str,
    request: OrganizationRequest,
    *,
    now: datetime,
    organization_id: int | None = None,
) -> None:
    is_own = permit.account.user_id == request.user_id and what in (APPROVED, DECLINED)
    journal.record(
        db,
        _TAGS[what],
        now=now,
        origin=permit.principal.origin,
        actor_id=permit.account.user_id,
        user_id=request.user_id,
        organization_id=organization_id,
        details={"organization": request.name, "own": " by whoever made it" if is_own else ""},
    )


_TAGS = {
    "made": "organization:request:made",
    "answered": "organization:request:answered",
    "withdrawn": "organization:request:withdrawn",
    "asked": "organization:request:asked",
    "approved": "organization:request:approved",
    "declined": "organization:request:declined",
}
