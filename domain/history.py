"""What happened to an account, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.policy.principals import Origin
from models import Event, User

# The one table of words: whoever records a new tag adds its line. What stands in braces comes from the event's details.
WORDS = {
    "account:user:registered": "Account created",
    "account:sign_in:succeeded": "Signed in ({method})",
    "account:sign_in:failed": "Somebody could not sign in: {reason}",
    "account:session:ended": "Signed out",
    "account:profile:edited": "Profile edited",
    "account:email:added": "Email address {address} added",
    "account:email:removed": "Email address {address} removed",
    "account:email:verified": "Email address {address} verified",
    "account:email:made_primary": "Email address {address} made primary",
    "account:email:corrected": "Email address corrected to {address}",
    "account:password:changed": "Password changed",
    "account:password:change_refused": "Change of password refused: the current one was wrong",
    "account:password:reset_requested": "New password asked for; we mailed {sent}",
    "account:password:reset": "New password set through a link",
    "account:presence:confirmed": "Confirmed that it is you",
    "account:presence:refused": "Not confirmed that it is you",
    "account:second_factor:refused": "Second factor refused: {reason}",
    "account:totp:added": "Authenticator app “{app}” added",
    "account:totp:renamed": "Authenticator app “{was}” renamed to “{app}”",
    "account:totp:removed": "Authenticator app “{app}” removed",
    "account:recovery_codes:made": "Recovery codes made",
    "account:recovery_codes:confirmed": "Recovery codes saved",
    "account:recovery_code:used": "Recovery code used; {left} left",
    "account:token:added": "API token “{token}” created",
    "account:token:removed": "API token “{token}” removed",
    "operator:administrator:created": "Account created by the operator, as an administrator",
    "operator:factors:reset": "All second factors removed by the operator",
    "project:name:reserved": "Project {name} reserved",
    "project:name:created": "Project {name} created by an upload",
    "project:release:added": "Release {version} published",
    "project:file:added": "File {filename} uploaded",
    "project:release:removed": "Release {version} of {project} deleted",
    "project:invitation:sent": "Invitation to {project} as {role}",
    "project:invitation:revoked": "Invitation to {project} revoked",
    "project:invitation:declined": "Invitation to {project} declined",
    "project:collaborator:added": "Became {role} of {project}",
    "project:collaborator:removed": "No longer {role} of {project}",
}


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


def recent(db: Session, user_id: int, *, most: int = 20) -> list[Entry]:
    """The newest events that concern an account, newest first.

    Refusals of the gate are left out: they are many, and the page "Why was I stopped?" tells of them.
    """
    concerned = (Event.user_id == user_id) & Event.tag.not_like("gate:%")
    events = select(Event, User.username).outerjoin(User, User.id == Event.actor_id).where(concerned)
    rows = db.execute(events.order_by(Event.id.desc()).limit(most))
    return [_entry(event, actor) for event, actor in rows]


def describe(tag: str, details: Mapping[str, object]) -> str:
    """An event in words; by its tag if the table does not know it. A fact that is missing shows as an ellipsis."""
    return WORDS[tag].format_map(_Facts(details)) if tag in WORDS else tag


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
