"""Forms about second factors. What may stand in their fields is for the domain to say."""

from flask_wtf import FlaskForm
from wtforms import StringField

from blueprints.fields import Line


class TotpForm(FlaskForm):  # type: ignore[misc]  # flask_wtf publishes no types
    """Connect an authenticator app."""

    label = Line("Name of this app")
    totp_value = StringField("Code from the app")


class PasskeyForm(FlaskForm):  # type: ignore[misc]
    """Add a passkey or security key."""

    label = Line("Name of this passkey or key")


class RenameForm(FlaskForm):  # type: ignore[misc]
    """Call a second factor something else."""

    label = Line("Name")


class SavedForm(FlaskForm):  # type: ignore[misc]
    """Prove that the recovery codes are kept."""

    recovery_code_value = StringField("Type one of the codes")
