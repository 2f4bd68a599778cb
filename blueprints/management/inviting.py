"""How many invitations one may send, and one address may get."""

import hashlib

from blueprints import wiring
from domain.identity import throttle
from domain.index import invitations
from domain.policy.decision import Permit
from models import db


def count_invitation(permit: Permit, guest: str) -> None:
    """Count one more invitation of this account, and to the address if `guest` is one. Raises TooMany.

    The second budget is one for the whole index: nobody's mailbox is filled by many who each stay below the first.
    """
    now = wiring.now()
    throttle.take(db.session(), (throttle.INVITE, str(permit.account.user_id)), now=now)
    if invitations.is_address(guest.strip()):
        key = hashlib.sha256(guest.strip().lower().encode()).hexdigest()  # an address is longer than a key may be
        throttle.take(db.session(), (throttle.INVITE_ADDRESS, key), now=now)
