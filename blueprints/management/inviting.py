"""How many invitations one may send, and one address may get."""

import hashlib

from blueprints import wiring
from domain import addresses
from domain.identity import throttle
from domain.policy.decision import Permit
from models import db


def count_invitation(permit: Permit, guest: str, *, field: str) -> None:
    """Count one more invitation of this account, and to the address if `guest` is one. Raises TooMany, and Problem at
    the field for what is no address.

    The second budget is one for the whole index: nobody's mailbox is filled by many who each stay below the first.
    """
    now = wiring.now()
    throttle.take(db.session(), (throttle.INVITE, str(permit.account.user_id)), now=now)
    if "@" in guest:
        key = addresses.parse(guest, field=field).key
        digest = hashlib.sha256(key.encode()).hexdigest()  # an address may be longer than a key
        throttle.take(db.session(), (throttle.INVITE_ADDRESS, digest), now=now)
