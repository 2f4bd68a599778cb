"""How well an account is protected: what the checklist of its page shows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from domain.identity import factors, recovery, tokens
from domain.policy.principals import Standing
from domain.policy.rules import Policy
from models import TotpApp, User

STALE_AFTER = timedelta(days=90)


@dataclass(frozen=True)
class Protection:
    """The facts behind the checklist.

    is_required: a rule asks this account for a second factor.
    codes_saved: the person proved to have kept the recovery codes.
    stale_tokens: what the tokens are called that nobody has used for 90 days.
    """

    has_verified_email: bool
    is_required: bool
    apps: list[TotpApp]
    codes_left: int
    codes_saved: bool
    token_count: int
    stale_tokens: list[str]

    @property
    def has_codes(self) -> bool:
        """Whether there are recovery codes enough, and kept."""
        return self.codes_saved and self.codes_left > recovery.FEW

    @property
    def done(self) -> int:
        """How many of the five tasks are done."""
        has_second_method, has_no_stale_token = len(self.apps) > 1, not self.stale_tokens
        return sum((self.has_verified_email, bool(self.apps), self.has_codes, has_second_method, has_no_stale_token))


def protection_of(db: Session, user: User, account: Standing, policy: Policy, *, now: datetime) -> Protection:
    """The state of an account. `account`: the same one, as the judge sees it."""
    mine = tokens.list_of(db, user.id)
    return Protection(
        has_verified_email=account.has_verified_email,
        is_required=factors.is_required(account, policy, now=now),
        apps=factors.apps_of(db, user.id),
        codes_left=recovery.codes_left(db, user.id),
        codes_saved=user.recovery_codes_confirmed_at is not None,
        token_count=len(mine),
        stale_tokens=[
            token.description for token in mine if now - (token.last_used_at or token.created_at) > STALE_AFTER
        ],
    )
