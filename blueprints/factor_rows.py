"""Second factors as pages list them."""

from dataclasses import dataclass

from blueprints import wiring
from domain.identity import factors
from domain.identity.authenticator_makes import make_of
from domain.identity.factors import SecondFactor
from domain.policy.decision import Permit
from models import Passkey, db


@dataclass(frozen=True)
class Row:
    """A second factor. notes: what else is to be said of it. must_stay: it is the last one, and one is required."""

    factor: SecondFactor
    notes: list[str]
    must_stay: bool


def rows_of(permit: Permit) -> list[Row]:
    """All second factors of whoever holds the permit."""
    policy, account, now = wiring.services().policy, permit.account, wiring.now()
    return [
        Row(factor, _notes(factor), factors.must_stay(db.session(), factor, account, policy, now=now))
        for factor in factors.all_of(db.session(), account.user_id)
    ]


def _notes(factor: SecondFactor) -> list[str]:
    if not isinstance(factor, Passkey):
        return []
    kept = "synced" if factor.is_backed_up else "could be synced" if factor.is_backup_eligible else "this device only"
    make = make_of(factor.aaguid)
    claims = [f"says it is {make}"] if make else []
    return [kept, *claims, *(["signs in without a password"] if factor.signs_in_alone else [])]
