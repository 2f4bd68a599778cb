"""Trusted publishing: the token that a CI job gets for its identity token, and why it gets none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, joinedload

from domain import journal
from domain.index import (
    organization_projects,
    organizations,
    pending_publishers,
    projects,
    publishers,
    reservations,
)
from domain.index.announcements import announce
from domain.index.keepers import keepers_of
from domain.index.publisher_claims import BadClaim, Claims, Job, check, concerns, read, spent_as
from domain.index.publisher_identities import PROVIDERS, Provider
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Denial, Permit, Reason, Step
from domain.policy.judge import judge
from domain.policy.principals import Origin, Publisher, Standing
from domain.policy.rules import Policy
from domain.problems import Problem
from models import (
    Event,
    Issuer,
    MintedToken,
    PendingPublisher,
    Project,
    SpentIdentity,
    TrustedPublisher,
    begin_writing,
    insert_into,
)

Standings = Callable[[int], Standing | None]  # what is to be known of the account of this number

LIFETIME = timedelta(minutes=15)
LEEWAY = timedelta(seconds=30)  # between the issuer's clock and ours
MARGIN = timedelta(seconds=5)  # an identity is remembered for so long after it cannot be used any more
LONGEST = timedelta(days=1)  # that an identity token may be good for; those of CI jobs are for minutes
SHOWN = 3  # publishers of which a refusal says why they are not meant

TOKEN = "Is it an identity token?"  # noqa: S105 - a question
ISSUER = "Does this index trust its issuer?"
SIGNATURE = "Did the issuer sign it?"
AUDIENCE = "Is it meant for this index, and for nobody else?"
TIME = "Is it valid at this moment?"
JOB = "Does it describe a CI job?"
PUBLISHER = "Is the job a trusted publisher of a project here?"
ONCE = "Is it used for the first time?"


@dataclass(frozen=True)
class KnownIssuer:
    """Somebody who may say which CI job is which."""

    url: str
    provider: Provider
    allows_private: bool


@dataclass
class Trace:
    """The questions that were answered on the way to a token, as the judge's are."""

    steps: list[Step] = field(default_factory=list)

    def passed(self, question: str, **inputs: str) -> None:
        """Note a yes."""
        self.steps.append(Step(question, "yes", tuple(inputs.items())))

    def refused(self, question: str, why: str, *, code: str, project_ids: Sequence[int] = ()) -> "Refused":
        """Note a no, and the refusal that it is."""
        self.steps.append(Step(question, "no", (("because", why),), stops=Reason.PUBLISHER_SCOPE))
        return Refused(why, code, tuple(self.steps), tuple(project_ids))


class Refused(Exception):
    """A job gets no token.

    message: why, in a sentence for whoever looks after the job. code: PyPI's word for it.
    steps: the questions up to the one that refused. project_ids: whose owners would want to know.
    """

    def __init__(self, message: str, code: str, steps: tuple[Step, ...], project_ids: tuple[int, ...]) -> None:
        super().__init__(message)
        self.message, self.code, self.steps, self.project_ids = message, code, steps, project_ids


@dataclass(frozen=True)
class Minted:
    """What a job got. projects: those that the token reaches, by name."""

    expires_at: datetime
    projects: list[str]


def known_issuer(db: Session, url: str) -> KnownIssuer | None:
    """The issuer of this address, if this index trusts it."""
    for provider in PROVIDERS.values():
        if url in (provider.issuer, provider.own):
            return KnownIssuer(url, provider, allows_private=False)
    added = db.scalar(select(Issuer).where(Issuer.url == url))
    return None if added is None else KnownIssuer(url, PROVIDERS[added.provider], added.allows_private)


def job_of(issuer: KnownIssuer, claims: Claims, trace: Trace, *, audience: str, now: datetime) -> tuple[Job, datetime]:
    """The job that a genuine token describes, and until when the token is good. Raises Refused.

    claims: signed by that issuer, and otherwise unjudged.
    """
    if claims.get("iss") != issuer.url:
        raise trace.refused(ISSUER, f"The claim iss is not {issuer.url}.", code="invalid-token")
    if claims.get("aud") not in (audience, [audience]):
        raise trace.refused(AUDIENCE, f"The claim aud has to be {audience}, and nothing besides.", code="invalid-token")
    trace.passed(AUDIENCE, audience=audience)
    try:
        until = _until(claims, now=now)
    except BadClaim as fault:
        raise trace.refused(TIME, str(fault), code="invalid-token") from fault
    trace.passed(TIME, until=until.strftime("%Y-%m-%d %H:%M:%S UTC"))
    try:
        job = read(issuer.provider, issuer.url, claims)
    except BadClaim as fault:
        raise trace.refused(JOB, str(fault), code="invalid-token") from fault
    trace.passed(JOB, job=job.title)
    return job, until


def exchange(
    db: Session,
    notices: Notices,
    policy: Policy,
    standing: Standings,
    trace: Trace,
    job: Job,
    *,
    signed: bytes,
    until: datetime,
    token_hash: bytes,
    origin: Origin,
    now: datetime,
) -> Minted:
    """Give the job a token for the projects that trust it; what waits for just this job is created first.

    standing: tells of whoever registered what waits.
    signed: the bytes under the signature, which stand for the token. until: it is good. token_hash: of the new token.
    Raises Refused; the caller rolls back.
    """
    begin_writing(db)
    in_vain = _create_waiting(db, notices, policy, standing, job, origin=origin, now=now)
    fitting, others = _fitting(db, job)
    decisions = [_judged(db, policy, job, each, origin, now) for each in fitting]
    allowed = [decision for decision in decisions if isinstance(decision, Permit)]
    if not allowed:
        raise _no_publisher(trace, job, [one for one in decisions if isinstance(one, Denial)], others, in_vain)
    trace.passed(PUBLISHER, projects=", ".join(each.project.name for each in fitting))
    trace.steps += allowed[0].steps
    spent = insert_into(db, SpentIdentity).values(digest=spent_as(job, signed), until=until + LEEWAY + MARGIN)
    if db.scalar(spent.on_conflict_do_nothing().returning(SpentIdentity.digest)) is None:
        ids = [each.project_id for each in fitting]
        raise trace.refused(
            ONCE, "This identity token was exchanged before.", code="invalid-reuse-token", project_ids=ids
        )
    return _mint(db, notices, allowed, fitting, job, token_hash=token_hash, now=now)


def holder_of(db: Session, token_hash: bytes, *, origin: Origin) -> Publisher | None:
    """The job that may act with this token, expired or not (that is for the judge to say); None if none may."""
    token = db.scalars(_HELD, {"token_hash": token_hash}).unique().one_or_none()
    if token is None:
        return None
    reached = frozenset(publisher.project_id for publisher in token.publishers)
    return Publisher(origin, token.title, reached, token.ref, token.sha, expires_at=token.expires_at)


_HELD = (
    select(MintedToken)
    .where(MintedToken.token_hash == bindparam("token_hash"))
    .options(joinedload(MintedToken.publishers))
    .execution_options(populate_existing=True)
)


def burn(db: Session, token_hash: bytes, *, origin: Origin, now: datetime) -> None:
    """Have a minted token work no more, if there is one. Whoever holds it may."""
    token = db.scalars(_HELD, {"token_hash": token_hash}).unique().one_or_none()
    if token is None:
        return
    burnt: CursorResult[Any] = db.execute(  # type: ignore[assignment]  # of a DELETE it is one
        delete(MintedToken).where(MintedToken.id == token.id)
    )
    for publisher in token.publishers if burnt.rowcount == 1 else []:
        details = {"project": publisher.project.name, "publisher": publishers.called(publisher), "job": token.title}
        journal.record(
            db,
            "project:publisher:burnt",
            now=now,
            origin=origin,
            actor_id=None,
            project_id=publisher.project_id,
            details=details,
        )


def sweep(db: Session, *, now: datetime) -> None:
    """Forget identities that cannot be used any more, and tokens a day after their end: until then, whoever is late is
    told why."""
    db.execute(delete(SpentIdentity).where(SpentIdentity.until < now))
    db.execute(delete(MintedToken).where(MintedToken.expires_at < now - timedelta(days=1)))


def refusals_of(db: Session, project: Project, *, since: datetime) -> list[Event]:
    """The last few refusals of jobs that a publisher of the project could have meant, newest first."""
    of_project = select(Event).where(Event.project_id == project.id, Event.tag == "project:publisher:refused")
    return list(db.scalars(of_project.where(Event.at > since).order_by(Event.id.desc()).limit(SHOWN)))


def refuse(db: Session, refusal: Refused, *, origin: Origin, now: datetime) -> None:
    """Leave the event of a refusal where those look who can mend it: in the histories of the projects that were meant,
    or, where none was, in the index's own. Commits, and drops what was begun."""
    details = {
        "why": refusal.message,
        "code": refusal.code,
        "steps": [step.facts for step in refusal.steps],
    }
    db.rollback()
    begin_writing(db)
    there = db.scalars(select(Project).where(Project.id.in_(refusal.project_ids))).all()
    for project in there:
        told = {"project": project.name, **details}
        journal.record(
            db,
            "project:publisher:refused",
            now=now,
            origin=origin,
            actor_id=None,
            project_id=project.id,
            details=told,
        )
    if not there:
        journal.record(db, "index:publisher:refused", now=now, origin=origin, actor_id=None, details=details)
    db.commit()


def _until(claims: Claims, *, now: datetime) -> datetime:
    issued, ends = _moment(claims, "iat"), _moment(claims, "exp")
    if ends <= now - LEEWAY:
        raise BadClaim(f"The token has expired, at {ends:%H:%M:%S} UTC on {ends:%Y-%m-%d}.")
    begins = _moment(claims, "nbf") if "nbf" in claims else issued
    if max(issued, begins) > now + LEEWAY:
        raise BadClaim("The token is not valid yet: the clock of its issuer, or of this index, is wrong.")
    if ends - issued > LONGEST:
        raise BadClaim("The token is good for longer than a day, and such are not taken.")
    return ends


def _moment(claims: Claims, name: str) -> datetime:
    value = claims.get(name)
    if value is None:
        raise BadClaim(f"The token has no claim {name}.")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadClaim(f"The claim {name} is no number.")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        raise BadClaim(f"The claim {name} is no moment.") from None


def _fitting(db: Session, job: Job) -> tuple[list[TrustedPublisher], list[tuple[TrustedPublisher, str]]]:
    """Of each project that trusts the job the publisher that says most of it; and those of the same place that are for
    other jobs, with why."""
    rows = select(TrustedPublisher).where(TrustedPublisher.issuer == job.issuer, TrustedPublisher.place == job.place)
    fitting: dict[int, TrustedPublisher] = {}
    others: list[tuple[TrustedPublisher, str]] = []
    for row in db.scalars(rows.options(joinedload(TrustedPublisher.project)).order_by(TrustedPublisher.id)):
        if not concerns(job, row.facts):
            continue
        try:
            check(job, row.facts, row.ids)
        except BadClaim as fault:
            others.append((row, str(fault)))
            continue
        known = fitting.get(row.project_id)
        if known is None or len(row.facts) > len(known.facts):
            fitting[row.project_id] = row
    return list(fitting.values()), [(row, why) for row, why in others if row.project_id not in fitting]


def _judged(
    db: Session, policy: Policy, job: Job, publisher: TrustedPublisher, origin: Origin, now: datetime
) -> Permit | Denial:
    asks = Publisher(origin, job.title, frozenset({publisher.project_id}), job.ref, job.sha)
    return judge(asks, Action.EXCHANGE_IDENTITY, projects.target_of(db, publisher.project, None), policy, now)


def _no_publisher(
    trace: Trace,
    job: Job,
    denials: Sequence[Denial],
    others: Sequence[tuple[TrustedPublisher, str]],
    in_vain: Sequence[str],
) -> Refused:
    if denials:
        named = [denial.target.subject for denial in denials if denial.target is not None]
        stands = "; ".join(f"{one.name} is {one.status}" for one in named if isinstance(one, Project))
        ids = [one.id for one in named]
        return trace.refused(PUBLISHER, f"{stands}, and takes no files.", code="invalid-publisher", project_ids=ids)
    if in_vain:
        return trace.refused(PUBLISHER, " ".join(in_vain), code="invalid-pending-publisher")
    if not others:
        return trace.refused(PUBLISHER, f"No project here trusts {job.title}.", code="invalid-publisher")
    why = " ".join(f"{row.project.name}: {reason}" for row, reason in others[:SHOWN])
    more = f" And {len(others) - SHOWN} more." if len(others) > SHOWN else ""
    ids = list(dict.fromkeys(row.project_id for row, _ in others))
    return trace.refused(PUBLISHER, why + more, code="invalid-publisher", project_ids=ids)


def _create_waiting(
    db: Session,
    notices: Notices,
    policy: Policy,
    standing: Standings,
    job: Job,
    *,
    origin: Origin,
    now: datetime,
) -> list[str]:
    """Create the projects that wait for just this job; why one cannot be created, in a sentence each."""
    in_vain = []
    for pending in pending_publishers.waiting_for(db, issuer=job.issuer, place=job.place, now=now):
        try:
            if concerns(job, pending.facts):
                check(job, pending.facts, {})
                _create(db, notices, policy, standing, job, pending, origin=origin, now=now)
        except BadClaim:
            continue
        except Problem as problem:
            in_vain.append(f"{pending.project_name} cannot be created: {problem.message}")
    return in_vain


def _create(
    db: Session,
    notices: Notices,
    policy: Policy,
    standing: Standings,
    job: Job,
    pending: PendingPublisher,
    *,
    origin: Origin,
    now: datetime,
) -> None:
    """Create the project, for whoever registered the publisher, as long as they might do so themselves."""
    account, organization = standing(pending.user_id), pending.organization
    if account is None:
        return
    asks = Publisher(origin, job.title, ref=job.ref, sha=job.sha, account=account)
    action, target = Action.CREATE_PROJECT, None
    if organization is not None:
        action, target = Action.CREATE_ORGANIZATION_PROJECT, organizations.target_of(db, organization, account.user_id)
    decision = judge(asks, action, target, policy, now)
    if isinstance(decision, Denial):
        raise Problem(_WITHOUT.get(decision.reason, f"{account.username} may not create it any more."))
    with db.begin_nested():
        if organization is None:
            reservations.create_by_upload(db, decision, notices, name=pending.project_name, now=now)
        else:
            organization_projects.reserve(db, decision, notices, organization, name=pending.project_name, now=now)


_WITHOUT = {
    Reason.TWO_FACTOR_REQUIRED: "whoever registered it has no second factor any more.",
    Reason.KEY_REQUIRED: "its organization asks for a passkey that whoever registered it does not have.",
    Reason.EMAIL_UNVERIFIED: "whoever registered it has no verified address any more.",
    Reason.ACCOUNT_FROZEN: "the account of whoever registered it is frozen.",
}


def _mint(
    db: Session,
    notices: Notices,
    permits: Sequence[Permit],
    fitting: Sequence[TrustedPublisher],
    job: Job,
    *,
    token_hash: bytes,
    now: datetime,
) -> Minted:
    token = MintedToken(
        token_hash=token_hash, title=job.title, ref=job.ref, sha=job.sha, expires_at=now + LIFETIME, publishers=[]
    )
    by_project = {publisher.project_id: publisher for publisher in fitting}
    reached = []
    for permit in permits:
        project = permit.target.subject if permit.target is not None else None
        assert isinstance(project, Project)  # noqa: S101 - what the judge was asked about
        permit.covers(Action.EXCHANGE_IDENTITY, project)
        publisher = by_project[project.id]
        token.publishers.append(publisher)
        reached.append(project.name)
        _remember(db, permit, notices, project, publisher, job, now=now)
    db.add(token)
    db.flush()
    return Minted(token.expires_at, reached)


def _remember(
    db: Session,
    permit: Permit,
    notices: Notices,
    project: Project,
    publisher: TrustedPublisher,
    job: Job,
    *,
    now: datetime,
) -> None:
    """Write down the use, and tell of the first: from then on the publisher is the account and repository of these
    numbers, and none that later gets their names."""
    first = update(TrustedPublisher).where(TrustedPublisher.id == publisher.id, TrustedPublisher.last_used_at.is_(None))
    used: CursorResult[Any] = db.execute(first.values(last_used_at=now, ids=dict(job.ids or {})))  # type: ignore[assignment]
    is_first = used.rowcount == 1
    if not is_first:
        publisher.last_used_at = now
    facts = {"publisher": publishers.called(publisher), "ref": job.ref, "sha": job.sha, "job": job.title}
    journal.record(
        db,
        "project:publisher:used",
        now=now,
        origin=permit.principal.origin,
        actor_id=None,
        project_id=project.id,
        details={"project": project.name, **facts},
    )
    if is_first:
        told = [keeper.user for keeper in keepers_of(db, project)]
        announce(db, permit, notices, "publisher-first-use", told, project=project, now=now, ids=job.ids or {}, **facts)
