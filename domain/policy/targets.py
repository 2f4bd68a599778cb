"""What an action is done to, and the part that the principal has in it."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


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


class Subject(Protocol):
    """Anything with a row: the target of an action."""

    __tablename__: str

    @property
    def id(self) -> int: ...


@dataclass(frozen=True)
class Target:
    """The object of an action.

    subject: the row itself; the view is called with it.
    role: the principal's role in the project that the subject belongs to; None for none.
    project_id: that project, so that a token's scope can be compared.
    owner_id: whose it is, where it is one person's: their token, their email address, an invitation to them.
    name: how a person calls it.
    """

    subject: Subject
    name: str
    role: Role | None = None
    project_id: int | None = None
    owner_id: int | None = None


def ref(subject: Subject | None) -> tuple[str, int] | None:
    """Table and key: what stays the same when a row is loaded twice."""
    return None if subject is None else (subject.__tablename__, subject.id)
