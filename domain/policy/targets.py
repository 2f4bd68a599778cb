"""What an action is done to, and the part that the principal has in it."""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Protocol


def with_article(word: str) -> str:
    """A role as a sentence has it: "an owner", "a manager"."""
    return f"an {word}" if word.startswith("o") else f"a {word}"


class Role(IntEnum):
    """A part in a project; a greater one may all that a lesser one may."""

    MAINTAINER = 1
    OWNER = 2

    @classmethod
    def from_word(cls, word: str | None) -> "Role | None":
        """The role behind its word in tables and forms ("owner"), or None for no part at all."""
        return cls[word.upper()] if word else None

    @property
    def word(self) -> str:
        """The role as tables and forms spell it."""
        return self.name.lower()

    @property
    def holders(self) -> str:
        """All who have this role or a greater one, in words."""
        return {Role.MAINTAINER: "owners and maintainers", Role.OWNER: "owners"}[self]


class OrganizationRole(IntEnum):
    """A part in an organization; a greater one may all that a lesser one may."""

    MEMBER = 1
    MANAGER = 2
    OWNER = 3

    @classmethod
    def from_word(cls, word: str | None) -> "OrganizationRole | None":
        """The role behind its word in tables and forms ("manager"), or None for no part at all."""
        return cls[word.upper()] if word else None

    @property
    def word(self) -> str:
        """The role as tables and forms spell it."""
        return self.name.lower()

    @property
    def holders(self) -> str:
        """All who have this role or a greater one, in words."""
        return {
            OrganizationRole.MEMBER: "members",
            OrganizationRole.MANAGER: "owners and managers",
            OrganizationRole.OWNER: "owners",
        }[self]


class ProjectStatus(Enum):
    """How a project stands; the value is the marker that installers read (PEP 792)."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    QUARANTINED = "quarantined"


class Subject(Protocol):
    """Anything with a row: the target of an action."""

    __tablename__: str

    @property
    def id(self) -> int: ...


@dataclass(frozen=True)
class Target:
    """The object of an action.

    subject: the row itself; the view is called with it.
    role: the principal's role in the project that the subject belongs to; None for none. What teams and an
        organization lend counts.
    project_id: that project, so that a token's scope can be compared; None where the subject belongs to none.
    status: how that project stands.
    takes_tokens: False where that project takes files from trusted publishers only.
    is_private: whether only its people may know of that project.
    in_organization: whether that project belongs to an organization.
    organization_role: the principal's role in the organization that the subject belongs to; None for none.
    asks_for_key: the organization, by its name, that has its people use a passkey or security key; None for none.
    owner_id: whose it is, where it is one person's: their token, their email address, an invitation to them.
    name: how a person calls it.
    """

    subject: Subject
    name: str
    role: Role | None = None
    project_id: int | None = None
    status: ProjectStatus = ProjectStatus.ACTIVE
    takes_tokens: bool = True
    is_private: bool = False
    in_organization: bool = False
    organization_role: OrganizationRole | None = None
    asks_for_key: str | None = None
    owner_id: int | None = None

    @property
    def is_among_own(self) -> bool:
        """Whether the principal has any part in it: a role, own or lent, or a place in its organization."""
        return self.role is not None or self.organization_role is not None

    @property
    def is_hidden(self) -> bool:
        """Whether the principal may not even know that it exists."""
        return self.is_private and not self.is_among_own


def ref(subject: Subject | None) -> tuple[str, int] | None:
    """Table and key: what stays the same when a row is loaded twice."""
    return None if subject is None else (subject.__tablename__, subject.id)
