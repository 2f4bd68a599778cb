"""How often one may change a yank, in the browser and by programs alike."""

from blueprints import wiring
from domain.identity import throttle
from domain.policy.decision import Permit
from models import Release, db


def count_yank(permit: Permit, release: Release) -> None:
    """Count one more yank that is taken back, or gets another reason, of this account and release. Raises TooMany.

    All who look after the project are told each time: yanking to and fro must not fill their mailboxes. To yank what
    stands open is always possible.
    """
    if release.yanked_at is None:
        return
    account = (throttle.CHANGE_YANKS, str(permit.account.user_id))
    throttle.take(db.session(), account, (throttle.CHANGE_YANK, str(release.id)), now=wiring.now())
