"""Who asks, as facts that can be judged: no row, no request."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Factor(Enum):
    """A kind of second factor."""

    TOTP = "authenticator app"
    WEBAUTHN = "passkey or security key"


@dataclass(frozen=True)
class Origin:
    """Where a request came from: network address and the browser or client that it named."""

    address: str = ""
    user_agent: str = ""


@dataclass(frozen=True)
class Standing:
    """What the rules need to know of an account."""

    user_id: int
    username: str
    is_active: bool
    has_verified_email: bool
    registered_at: datetime
    factors: frozenset[Factor] = frozenset()
    is_administrator: bool = False
    must_prove_address: bool = False  # nobody was here for long, and there is no second factor yet

    @property
    def has_second_factor(self) -> bool:
        """Whether at least one second factor works."""
        return bool(self.factors)


@dataclass(frozen=True)
class Anonymous:
    """Nobody that we know: no credentials, unusable ones, or a sign-in that is only half done.

    because: what was wrong with the credentials that came along, in a sentence; empty if none came.
    """

    origin: Origin
    because: str = ""


@dataclass(frozen=True)
class Member:
    """A person in a browser, fully signed in. `confirmed_at`: when they last proved to be there."""

    origin: Origin
    account: Standing
    session_id: int
    confirmed_at: datetime | None


class Grant(Enum):
    """What an API token may be for; the value is its word in tables and forms."""

    UPLOAD = "upload"
    YANK = "yank"
    READ = "read"


@dataclass(frozen=True)
class TokenHolder:
    """A program with an API token. It is judged as the token's owner is today, not when the token was made.

    reaches_all: the whole account; otherwise only `project_ids`.
    was_replaced: its secret is a former one; a rotation gave the token another.
    creates_project: the next upload may create a project, which is then the one that the token reaches.
    networks: addresses it may come from, in CIDR notation; none means any.
    """

    origin: Origin
    account: Standing
    token_id: int
    expires_at: datetime | None
    reaches_all: bool
    project_ids: frozenset[int] = frozenset()
    creates_project: bool = False
    grants: frozenset[Grant] = frozenset({Grant.UPLOAD})
    networks: tuple[str, ...] = ()
    was_replaced: bool = False
    last_used_at: datetime | None = None
    last_used_project_id: int | None = None


@dataclass(frozen=True)
class Publisher:
    """A CI job that proved its identity. It has no account: it is judged by the projects it is bound to.

    name: as people call the job. ref, sha: what it builds, where the provider says so.
    expires_at: of the token that it got; None while it gets one.
    account: where it creates a project of its own, whose that will be; judged as it is today.
    """

    origin: Origin
    name: str
    project_ids: frozenset[int] = frozenset()
    ref: str = ""
    sha: str = ""
    expires_at: datetime | None = None
    account: Standing | None = None


@dataclass(frozen=True)
class Operator:
    """Whoever has a shell on the machine: above the rules, but not above the journal.

    account: for whom the operator acts, where something is to be theirs.
    """

    origin: Origin = Origin(address="shell", user_agent="flask")
    account: Standing | None = None


Principal = Anonymous | Member | TokenHolder | Publisher | Operator
