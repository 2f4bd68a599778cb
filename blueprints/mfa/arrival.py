"""Where somebody goes on once a second factor is added."""

from flask import flash

from models import User, db


def after_enrolment(user_id: int) -> str:
    """The endpoint: recovery codes while they are not saved, else what there is now."""
    if db.session.get_one(User, user_id).recovery_codes_confirmed_at is not None:
        return "mfa.done"
    flash("Two-factor authentication is on. One thing is left: a way back in if the device is lost.", "success")
    return "mfa.recovery_codes"
