"""What happened to an account, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from domain.policy.principals import Origin
from models import Event, User

PAGE = 50

# The one table of words: whoever records a new tag adds its line. What stands in braces comes from the event's details.
WORDS = {
    "account:user:registered": "Account created",
    "account:sign_in:succeeded": "Signed in ({method})",
    "account:sign_in:failed": "Somebody could not sign in: {reason}",
    "account:sign_in:unfinished": "Somebody knew the password and gave no second factor",
    "account:sign_in:waiting": "Sign-in from a new browser; we mailed a link to confirm it",
    "account:session:ended": "Signed out",
    "account:session:revoked": "Session from {address} ended",
    "account:sessions:ended": "All other sessions ended",
    "account:browser:trusted": "Browser trusted until {until}",
    "account:browser:distrusted": "Browser trusted no more",
    "account:profile:edited": "Profile edited",
    "account:email:added": "Email address {address} added",
    "account:email:removed": "Email address {address} removed",
    "account:email:verified": "Email address {address} verified",
    "account:email:proved": "Email address {address} proved again",
    "account:email:made_primary": "Email address {address} made primary",
    "account:email:corrected": "Email address corrected to {address}",
    "account:password:changed": "Password changed",
    "account:password:change_refused": "Change of password refused: the current one was wrong",
    "account:password:reset_requested": "New password asked for; we mailed {sent}",
    "account:password:reset": "New password set through a link",
    "account:presence:confirmed": "Confirmed that it is you",
    "account:presence:refused": "Not confirmed that it is you",
    "account:second_factor:refused": "Second factor refused: {reason}",
    "account:totp:added": "Authenticator app “{label}” added",
    "account:totp:renamed": "Authenticator app “{was}” renamed to “{label}”",
    "account:totp:removed": "Authenticator app “{label}” removed",
    "account:passkey:added": "{kind} “{label}” added",
    "account:passkey:renamed": "{kind} “{was}” renamed to “{label}”",
    "account:passkey:removed": "{kind} “{label}” removed",
    "account:passkey:refused": "{kind} “{label}” refused: it may have been copied",
    "account:recovery_codes:made": "Recovery codes made",
    "account:recovery_codes:confirmed": "Recovery codes saved",
    "account:recovery_code:used": "Recovery code used; {left} left",
    "account:token:added": "API token “{token}” created",
    "account:token:removed": "API token “{token}” removed",
    "operator:administrator:created": "Account created by the operator, as an administrator",
    "operator:keys:rotated": "All secrets sealed under key {key} by the operator",
    "operator:factors:reset": "All second factors removed by the operator",
    "operator:sessions:ended": "All sessions ended by the operator",
    "operator:account:frozen": "Account frozen by the operator",
    "operator:account:unfrozen": "Account let in again by the operator",
    "project:name:reserved": "Project {name} reserved",
    "project:name:created": "Project {name} created by an upload",
    "project:release:added": "Release {version} published",
    "project:file:added": "File {filename} uploaded",
    "project:release:removed": "Release {version} of {project} deleted",
    "project:release:yanked": "Release {version} of {project} yanked{why}",
    "project:release:unyanked": "Yank of release {version} of {project} taken back",
    "project:release:restored": "Release {version} of {project} restored: {filename}",
    "project:file:removed": "File {filename} of {project} deleted",
    "project:invitation:sent": "Invitation to {project} as {role}",
    "project:invitation:revoked": "Invitation to {project} revoked",
    "project:invitation:declined": "Invitation to {project} declined",
    "project:collaborator:added": "Became {role} of {project}",
    "project:collaborator:removed": "No longer {role} of {project}",
    "organization:request:made": "Organization {organization} requested",
    "organization:request:asked": "Question about the request for {organization}",
    "organization:request:answered": "Question about the request for {organization} answered",
    "organization:request:withdrawn": "Request for {organization} withdrawn",
    "organization:request:approved": "Request for {organization} approved{own}",
    "organization:project:reserved": "Project {name} reserved for {organization}",
    "organization:project:given_back": "Project {project} given back by {organization} to its own owners",
    "organization:team:created": "Team {team} of {organization} created",
    "organization:team:renamed": "Team {was} of {organization} renamed to {team}",
    "organization:team:deleted": "Team {team} of {organization} deleted",
    "organization:team:member_added": "{person} added to team {team} of {organization}",
    "organization:team:member_removed": "{person} removed from team {team} of {organization}",
    "organization:team:role_set": "Team {team} of {organization} made {role} of {project}",
    "organization:team:role_removed": "Team {team} of {organization} no longer {role} of {project}",
    "organization:request:declined": "Request for {organization} declined{own}",
}


class Part(Enum):
    """A part of an account's history: its word in addresses, its title, and the beginnings of its tags."""

    SIGN_IN = (
        "sign-in",
        "Signing in",
        (
            "account:user:",
            "account:sign_in:",
            "account:session",
            "account:presence:",
            "operator:administrator:",
            "operator:sessions:",
            "operator:account:",
        ),
    )
    FACTORS = (
        "second-factors",
        "Second factors",
        (
            "account:totp:",
            "account:passkey:",
            "account:second_factor:",
            "account:recovery_code",
            "account:browser:",
            "operator:factors:",
        ),
    )
    PASSWORD = ("password", "Password", ("account:password:",))
    EMAIL = ("email", "Email addresses and profile", ("account:email:", "account:profile:"))
    TOKENS = ("tokens", "API tokens", ("account:token:",))
    PROJECTS = ("projects", "Projects", ("project:",))
    ORGANIZATIONS = ("organizations", "Organizations", ("organization:",))

    def __init__(self, word: str, title: str, tags: tuple[str, ...]) -> None:
        self.word = word
        self.title = title
        self.tags = tags

    @classmethod
    def of(cls, word: str) -> "Part | None":
        """The part of this word; None for the whole history."""
        return next((part for part in cls if part.word == word), None)


@dataclass(frozen=True)
class Entry:
    """Something that happened: when, and in words.

    origin: where it came from; None where somebody else did it, whose address is theirs to tell.
    by: that other one's username; None for oneself and for nobody known.
    """

    at: datetime
    words: str
    origin: Origin | None
    by: str | None


@dataclass(frozen=True)
class Leaf:
    """One page of a history. older: what `before` the next page begins; None where this is the last."""

    entries: list[Entry]
    older: int | None


def leaf(db: Session, user_id: int, *, part: Part | None = None, before: int | None = None, most: int = PAGE) -> Leaf:
    """Events that concern an account, newest first: of one part or of all, those older than the event `before`.

    Refusals of the gate are left out: they are many, and the page "Why was I stopped?" tells of them.
    """
    concerned = (Event.user_id == user_id) & Event.tag.not_like("gate:%")
    if part is not None:
        concerned &= or_(*(Event.tag.startswith(tag, autoescape=True) for tag in part.tags))
    if before is not None:
        concerned &= Event.id < before
    events = select(Event, User.username).outerjoin(User, User.id == Event.actor_id).where(concerned)
    rows = db.execute(events.order_by(Event.id.desc()).limit(most + 1)).all()
    entries = [_entry(event, actor) for event, actor in rows[:most]]
    return Leaf(entries, older=rows[most - 1][0].id if len(rows) > most else None)


def describe(tag: str, details: Mapping[str, object]) -> str:
    """An event in words; by its tag if the table does not know it. A fact that is missing shows as an ellipsis."""
    if tag not in WORDS:
        return tag
    facts = _Facts(details)
    if "until" in facts:
        facts["until"] = _day(str(facts["until"]))
    words = WORDS[tag].format_map(facts)
    return words[:1].upper() + words[1:]


def _day(iso: str) -> str:
    """A day of the journal, `2026-12-22`, as pages write it: `22 Dec 2026`."""
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%b %Y}"


def _entry(event: Event, actor: str | None) -> Entry:
    is_others = event.actor_id not in (None, event.user_id)
    return Entry(
        at=event.at,
        words=describe(event.tag, event.details),
        origin=None if is_others else Origin(event.address, event.user_agent),
        by=actor if is_others else None,
    )


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "…"
