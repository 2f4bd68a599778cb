"""How often one may yank, in the browser and by programs alike."""

from blueprints import wiring
from domain.identity import throttle
from domain.policy.decision import Permit
from models import Release, db


def count_yank(permit: Permit, release: Release) -> None:
    """Count one more yank, or one taken back, of this account and of this release. Raises TooMany.

    All who look after the project are told each time: yanking to and fro must not fill their mailboxes.
    """
    account = (throttle.YANK, str(permit.account.user_id))
    throttle.take(db.session(), account, (throttle.YANK_RELEASE, str(release.id)), now=wiring.now())
