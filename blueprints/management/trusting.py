"""How many CI identities one may name, for projects that exist and for those to come."""

from blueprints import wiring
from domain.identity import throttle
from domain.policy.decision import Permit
from models import db


def count_publisher(permit: Permit) -> None:
    """Count one more of this account and of the address it comes from. Raises TooMany.

    The second budget is one for the whole index: nobody gets around the first with another account.
    """
    account = (throttle.ADD_PUBLISHER, str(permit.account.user_id))
    address = (throttle.ADD_PUBLISHER_FROM_ADDRESS, permit.principal.origin.address)
    throttle.take(db.session(), account, address, now=wiring.now())
