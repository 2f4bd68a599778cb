"""What the rules need to know of an account, read in one statement."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session

from domain.policy.principals import Factor, Standing
from models import Email, Passkey, TotpApp, User

# A key that is refused as copied counts: were it none, whoever holds the copy would bring the account down to its
# password alone.
FACTS = (
    User.id,
    User.username,
    User.is_active,
    User.is_admin,
    User.registered_at,
    User.address_proof_due_since,
    exists().where(Email.user_id == User.id, Email.is_primary, Email.verified_at.is_not(None)),
    exists().where(TotpApp.user_id == User.id),
    exists().where(Passkey.user_id == User.id),
)


_STANDING = select(*FACTS).where(User.id == bindparam("user_id"))


def standing_of(db: Session, user_id: int) -> Standing | None:
    """The account's standing as it is now, or None if there is no such account."""
    row = db.execute(_STANDING, {"user_id": user_id}).one_or_none()
    return None if row is None else standing_from(row)


def standing_from(facts: Iterable[Any]) -> Standing:  # Any: each fact is of its own type
    """The standing that an account's FACTS say, for whoever reads them along with something else."""
    found_id, username, is_active, is_admin, registered_at, proof_due_since, has_verified_email, *has = facts
    kinds = zip((Factor.TOTP, Factor.WEBAUTHN), has, strict=True)
    factors = frozenset(kind for kind, is_there in kinds if is_there)
    return Standing(
        user_id=found_id,
        username=username,
        is_active=is_active,
        has_verified_email=has_verified_email,
        registered_at=registered_at,
        factors=factors,
        is_administrator=is_admin,
        must_prove_address=proof_due_since is not None and not factors,
    )


def factors_of(db: Session, user_ids: Collection[int]) -> dict[int, frozenset[Factor]]:
    """The kinds of second factors of each of these accounts, in two statements for all of them."""
    found: dict[int, set[Factor]] = {user_id: set() for user_id in user_ids}
    for kind, table in ((Factor.TOTP, TotpApp), (Factor.WEBAUTHN, Passkey)):
        for user_id in db.scalars(select(table.user_id).where(table.user_id.in_(user_ids)).distinct()):
            found[user_id].add(kind)
    return {user_id: frozenset(kinds) for user_id, kinds in found.items()}
