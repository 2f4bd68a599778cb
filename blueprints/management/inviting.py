"""How many invitations one may send, and one address may get."""

from blueprints import wiring
from domain.identity import throttle
from domain.policy.decision import Permit
from models import db


def count_invitation(permit: Permit, guest: str) -> None:
    """Count one more invitation of this account, and to the address if `guest` is one. Raises TooMany.

    The second budget is one for the whole index: nobody's mailbox is filled by many who each stay below the first.
    """
    now = wiring.now()
    throttle.take(db.session(), (throttle.INVITE, str(permit.account.user_id)), now=now)
    if "@" in guest:
        throttle.take(db.session(), (throttle.INVITE_ADDRESS, guest.strip().lower()), now=now)
