"""How well an account is protected: what the checklist of its page shows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from domain.identity import factors, recovery, tokens
from domain.identity.factors import SecondFactor
from domain.policy.principals import Standing
from domain.policy.rules import Policy
from models import Passkey, User

STALE_AFTER = timedelta(days=90)


@dataclass(frozen=True)
class Protection:
    """The facts behind the checklist.

    is_required: a rule asks this account for a second factor.
    codes_saved: the person proved to have kept the recovery codes.
    stale_tokens: the names of tokens that nobody has used for `STALE_AFTER`.
    """

    has_verified_email: bool
    is_required: bool
    factors: list[SecondFactor]
    codes_left: int
    codes_saved: bool
    token_count: int
    stale_tokens: list[str]

    @property
    def kinds(self) -> str:
        """What second factors there are, in words: "Passkey, authenticator app"."""
        return factors.named(self.factors).capitalize()

    @property
    def has_codes(self) -> bool:
        """Whether there are recovery codes enough, and kept."""
        return self.codes_saved and self.codes_left > recovery.FEW

    @property
    def has_passkey(self) -> bool:
        """Whether there is a proof that no fake page can have: a passkey or security key that works."""
        return any(isinstance(factor, Passkey) and factor.refused_since is None for factor in self.factors)

    @property
    def tasks(self) -> list[bool]:
        """Whether each task of the checklist is done, from the top."""
        return [
            self.has_verified_email,
            bool(self.factors),
            self.has_codes,
            len(self.factors) > 1,
            self.has_passkey,
            not self.stale_tokens,
        ]


def protection_of(db: Session, user: User, account: Standing, policy: Policy, *, now: datetime) -> Protection:
    """The state of an account. `account`: the same one, as the judge sees it."""
    mine = tokens.list_of(db, user.id)
    return Protection(
        has_verified_email=account.has_verified_email,
        is_required=factors.is_required(account, policy, now=now),
        factors=factors.all_of(db, user.id),
        codes_left=recovery.codes_left(db, user.id),
        codes_saved=user.recovery_codes_confirmed_at is not None,
        token_count=len(mine),
        stale_tokens=[
            token.description for token in mine if now - (token.last_used_at or token.created_at) > STALE_AFTER
        ],
    )
