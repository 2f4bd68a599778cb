"""What happened to an account, a project or an organization, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Self

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, aliased

from domain.policy.principals import Origin
from domain.problems import Problem
from models import Event, User
from models.user import username_key

PAGE = 50

# The one table of words: whoever records a new tag adds its line. What stands in braces comes from the event's details.
# Words of a project or an organization stand beside the names of who did it and whom it is about, and in the history
# of whom it is about: they name neither, and say neither "you" nor "we".
WORDS = {
    "account:user:registered": "Account created",
    "account:user:deleted": "Account {username} deleted",
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
    "account:token:all_removed": "All API tokens removed: {tokens}",
    "account:token:leaked": "API token “{token}” removed: it was made public at {where}",
    "account:token:rotated": "API token “{token}” given a new secret",
    "account:token:former_ended": "Former secret of API token “{token}” ended",
    "account:publisher:added": "Pending publisher {publisher} for {project} added",
    "account:publisher:expired": "Pending publisher {publisher} for {project} ended: it was not used within 30 days",
    "account:publisher:taken": "Pending publisher {publisher} for {project} ended: that name, or one like it, is taken",
    "account:publisher:issuer_removed": "Pending publisher {publisher} for {project} ended: its issuer was removed",
    "account:publisher:removed": "Pending publisher {publisher} for {project} removed",
    "index:issuer:added": "Issuer of identities {issuer} added: {url}",
    "index:issuer:removed": "Issuer of identities {issuer} removed: {url}",
    "operator:administrator:created": "Account created by the operator, as an administrator",
    "operator:keys:rotated": "All secrets sealed under key {key} by the operator",
    "operator:factors:reset": "All second factors removed by the operator",
    "operator:sessions:ended": "All sessions ended by the operator",
    "operator:blobs:swept": "Bytes that belonged to nothing removed by the operator: {count} blobs",
    "operator:files:imported": "Files imported by the operator: {count}, into {projects} projects",
    "operator:account:frozen": "Account frozen by the operator",
    "operator:account:unfrozen": "Account let in again by the operator",
    "project:name:reserved": "Project {name} reserved",
    "project:name:created": "Project {name} created by an upload",
    "project:name:deleted": "Project {project} deleted",
    "project:status:archived": "Project {project} archived",
    "project:status:active": "Archived project {project} opened again",
    "project:limits:set": "Limits of {project} set: {file} for a file, {total} in all",
    "project:reading:private": "Project {project} made private",
    "project:reading:open": "Private project {project} opened to all readers",
    "project:transfer:offered": "Project {project} offered to {receiver}",
    "project:transfer:withdrawn": "Offer of {project} to {receiver} withdrawn",
    "project:transfer:void": "Offer of {project} to {receiver} ended",
    "project:transfer:declined": "Offer of {project} to {receiver} declined",
    "project:transfer:accepted": "Project {project} taken over by {receiver}",
    "project:release:added": "Release {version} published",
    "project:file:added": "File {filename} uploaded",
    "project:release:removed": "Release {version} of {project} deleted",
    "project:release:yanked": "Release {version} of {project} yanked{why}",
    "project:release:unyanked": "Yank of release {version} of {project} taken back",
    "project:release:restored": "Release {version} of {project} restored: {filename}",
    "project:file:removed": "File {filename} of {project} deleted",
    "project:invitation:sent": "Invitation of {guest} to {project} as {role}",
    "project:invitation:revoked": "Invitation of {guest} to {project} revoked",
    "project:invitation:declined": "Invitation of {guest} to {project} declined",
    "project:collaborator:added": "Became {role} of {project}",
    "project:collaborator:role_changed": "Now {role} of {project}, no longer {was}",
    "project:collaborator:removed": "No longer {role} of {project}",
    "project:publisher:added": "Trusted publisher {publisher} of {project} added",
    "project:publisher:removed": "Trusted publisher {publisher} of {project} removed",
    "project:publisher:used": "Token for {publisher} minted: {ref} {sha}",
    "project:publisher:burnt": "Token for {publisher} burnt",
    "project:publisher:refused": "No token for a CI job: {why}",
    "index:publisher:refused": "No token for a CI job: {why}",
    "project:tokens:refused": "Uploads to {project} from trusted publishers only",
    "project:tokens:accepted": "Uploads to {project} with API tokens allowed again",
    "organization:request:made": "Organization {organization} requested",
    "organization:request:asked": "Question about the request for {organization}",
    "organization:request:answered": "Question about the request for {organization} answered",
    "organization:request:withdrawn": "Request for {organization} withdrawn",
    "organization:request:approved": "Request for {organization} approved{own}",
    "organization:project:reserved": "Project {name} reserved for {organization}",
    "organization:project:given_back": "Project {project} given back by {organization} to its own owners",
    "organization:project:left": "Project {project} taken out of {organization}",
    "organization:invitation:sent": "Invitation of {guest} to {organization} as {role}",
    "organization:invitation:revoked": "Invitation of {guest} to {organization} revoked",
    "organization:invitation:declined": "Invitation of {guest} to {organization} declined",
    "organization:member:added": "Became {role} of {organization}",
    "organization:member:removed": "No longer {role} of {organization}",
    "organization:member:role_changed": "Now {role} of {organization}, no longer {was}",
    "organization:settings:edited": "What {organization} says of itself changed",
    "organization:rule:turned_on": "Passkey or security key asked of everybody in {organization}",
    "organization:rule:turned_off": "Passkey or security key no longer asked of everybody in {organization}",
    "organization:name:deleted": "Organization {organization} deleted",
    "organization:team:created": "Team {team} of {organization} created",
    "organization:team:renamed": "Team {was} of {organization} renamed to {team}",
    "organization:team:deleted": "Team {team} of {organization} deleted",
    "organization:team:member_added": "Added {person} to team {team} of {organization}",
    "organization:team:member_removed": "Removed {person} from team {team} of {organization}",
    "organization:team:role_set": "Team {team} of {organization} made {role} of {project}",
    "organization:team:role_removed": "Team {team} of {organization} no longer {role} of {project}",
    "organization:request:declined": "Request for {organization} declined{own}",
}


class Section(Enum):
    """A part of a history: its word in addresses, its title, and the beginnings of its tags."""

    def __init__(self, word: str, title: str, tags: tuple[str, ...]) -> None:
        self.word = word
        self.title = title
        self.tags = tags

    @classmethod
    def of(cls, word: str) -> Self | None:
        """The part of this word; None for the whole history."""
        return next((part for part in cls if part.word == word), None)


class Part(Section):
    """A part of an account's history. Every tag that has words, and concerns an account, belongs to exactly one."""

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
            "operator:files:",
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
    PUBLISHERS = ("publishers", "Pending publishers", ("account:publisher:",))
    ADMINISTRATION = ("administration", "Administration", ("index:",))


class ProjectPart(Section):
    """A part of a project's history. What belongs to none stands in the whole history alone."""

    RELEASES = ("releases", "Releases and files", ("project:release:", "project:file:"))
    PEOPLE = ("people", "People", ("project:collaborator:", "project:invitation:", "organization:team"))
    PUBLISHERS = ("publishers", "Trusted publishers", ("project:publisher:", "project:tokens:", "account:publisher:"))
    TOKENS = ("tokens", "API tokens", ("account:token:",))
    SETTINGS = (
        "settings",
        "Settings and ownership",
        ("project:name:", "project:status:", "project:limits:", "project:transfer:"),
    )


class OrganizationPart(Section):
    """A part of an organization's history. What belongs to none stands in the whole history alone."""

    PEOPLE = ("people", "People", ("organization:member:", "organization:invitation:"))
    TEAMS = ("teams", "Teams", ("organization:team",))
    PROJECTS = ("projects", "Projects", ("project:", "organization:project:"))
    PUBLISHERS = ("publishers", "Pending publishers", ("organization:publisher:", "account:publisher:"))


class Kind(Enum):
    """What a history can be of."""

    ACCOUNT = "account"
    PROJECT = "project"
    ORGANIZATION = "organization"


OF_STRANGERS = (*Part.SIGN_IN.tags, *Part.FACTORS.tags, *Part.PASSWORD.tags)
COLUMNS = {Kind.ACCOUNT: Event.user_id, Kind.PROJECT: Event.project_id, Kind.ORGANIZATION: Event.organization_id}
PARTS: dict[Kind, type[Section]] = {
    Kind.ACCOUNT: Part,
    Kind.PROJECT: ProjectPart,
    Kind.ORGANIZATION: OrganizationPart,
}


@dataclass(frozen=True)
class Book:
    """Whose history: the account, project or organization with this id.

    hides_guests: whether email addresses that were invited are told only to whoever invited them.
    """

    kind: Kind
    id: int
    hides_guests: bool = False


@dataclass(frozen=True)
class Sought:
    """What of a history is looked for; everything unless said otherwise.

    by_id: the account that did it.
    since, until: days in UTC, both included.
    """

    part: Section | None = None
    by_id: int | None = None
    since: date | None = None
    until: date | None = None


EVERYTHING = Sought()


@dataclass(frozen=True)
class Entry:
    """Something that happened: when, and in words.

    origin: where it came from, for whoever did it and reads it; None where somebody else did it, whose address is
        theirs to tell.
    by: the username of whoever did it, or what a CI job is called; None for nobody known.
    about: the username of whom it concerns, where that is somebody else.
    """

    at: datetime
    tag: str
    words: str
    origin: Origin | None
    by: str | None
    about: str | None

    @property
    def doer(self) -> str:
        """Who did it, for a page."""
        return self.by or ("the operator" if self.tag.startswith("operator:") else "nobody known")


@dataclass(frozen=True)
class Leaf:
    """One page of a history. older: what `before` the next page begins; None where this is the last."""

    entries: list[Entry]
    older: int | None


def leaf(
    db: Session,
    book: Book,
    *,
    reader_id: int,
    sought: Sought = EVERYTHING,
    before: int | None = None,
    most: int = PAGE,
) -> Leaf:
    """What stands in a history, newest first: events older than the event `before`. One statement.

    reader_id: the account that reads it, to which alone its own network addresses are shown.
    Refusals of the gate are left out: they are many, and the page "Why was I stopped?" tells of them.
    """
    actor, concerned = aliased(User), aliased(User)
    events = (
        select(Event, actor.username, concerned.username)
        .outerjoin(actor, actor.id == Event.actor_id)
        .outerjoin(concerned, concerned.id == Event.user_id)
        .where(COLUMNS[book.kind] == book.id, Event.tag.not_like("gate:%"), *_conditions(sought))
    )
    if before is not None:
        events = events.where(Event.id < before)
    rows = db.execute(events.order_by(Event.id.desc()).limit(most + 1)).all()
    entries = [_entry(event, by, about, book=book, reader_id=reader_id) for event, by, about in rows[:most]]
    return Leaf(entries, older=rows[most - 1][0].id if len(rows) > most else None)


def find_doer(db: Session, username: str) -> int:
    """The account of this name, to look for what it did. Raises Problem at the field if there is none."""
    is_name = username.isascii() and username.isprintable()  # PostgreSQL takes no NUL, not even to look for
    found = db.scalar(select(User.id).where(User.username_key == username_key(username))) if is_name else None
    if found is None:
        raise Problem("There is nobody of that name on this index. Check the spelling.", field="by")
    return found


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


def _conditions(sought: Sought) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if sought.part is not None:
        found.append(or_(*(Event.tag.startswith(tag, autoescape=True) for tag in sought.part.tags)))
    if sought.by_id is not None:
        found.append(Event.actor_id == sought.by_id)
    if sought.since is not None:
        found.append(Event.at >= datetime.combine(sought.since, time.min, UTC))
    if sought.until is not None:
        found.append(Event.at <= datetime.combine(sought.until, time.max, UTC))
    return found


def _entry(event: Event, by: str | None, about: str | None, *, book: Book, reader_id: int) -> Entry:
    # What strangers tried on one's own account is told with their address: it is how one knows that it was not oneself.
    # Of anything else the doer may be unknown only because their account is gone, and their address stays theirs.
    is_strangers = book.kind is Kind.ACCOUNT and event.actor_id is None and event.tag.startswith(OF_STRANGERS)
    is_own = event.actor_id == reader_id
    is_hidden = book.hides_guests and not is_own and "@" in str(event.details.get("guest", ""))
    details = {**event.details, "guest": "an address"} if is_hidden else event.details
    return Entry(
        at=event.at,
        tag=event.tag,
        words=describe(event.tag, details),
        origin=Origin(event.address, event.user_agent) if is_strangers or is_own else None,
        by=by or (str(event.details["job"]) if "job" in event.details else None),
        about=about if event.user_id != event.actor_id else None,
    )


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "…"
