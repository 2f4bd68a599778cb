"""How many invitations one may send, and one address may get."""

import hashlib

from blueprints import wiring
from domain import addresses
from domain.identity import throttle
from domain.naming import looks_like_name
from domain.policy.decision import Permit
from models import db
from models.user import username_key


def count_invitation(permit: Permit, guest: str, *, field: str) -> None:
    """Count one more invitation of this account, and to the person or address. Raises TooMany, and Problem at the field
    for what is no address.

    That of an address is one for the whole index: nobody's mailbox is filled by many who each stay below the first.
    A person with an account is asked by one account five times a day, so that inviting and revoking fills nobody's.
    """
    now = wiring.now()
    throttle.take(db.session(), (throttle.INVITE, str(permit.account.user_id)), now=now)
    if "@" in guest:
        key = addresses.parse(guest, field=field).key
        digest = hashlib.sha256(key.encode()).hexdigest()  # an address may be longer than a key
        throttle.take(db.session(), (throttle.INVITE_ADDRESS, digest), now=now)
    elif looks_like_name(guest):
        throttle.take(
            db.session(), (throttle.INVITE_PERSON, f"{permit.account.user_id}:{username_key(guest)}"), now=now
        )
