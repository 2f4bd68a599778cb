"""Forms about one's own account. What they may hold is for the domain to say."""

from flask_wtf import FlaskForm
from wtforms import SelectField
from wtforms.validators import EqualTo, InputRequired

from blueprints.fields import Line, Secret
from models import User


class ProfileForm(FlaskForm):  # type: ignore[misc]  # flask_wtf publishes no types
    """What others see of the person."""

    full_name = Line("Full name")
    public_email = SelectField("Public address", choices={}, validate_choice=False)

    def offer(self, user: User) -> None:
        """Fill in which addresses can be shown: those that are proved."""
        verified = [email.address for email in user.emails if email.verified_at is not None]
        self.public_email.choices = {"": "None"} | {address: address for address in verified}


class DeleteAccountForm(FlaskForm):  # type: ignore[misc]
    """Delete the account."""

    confirm = Line("Type your username to delete the account")


class EmailForm(FlaskForm):  # type: ignore[misc]
    """An address to add, or to put in the place of a wrong one."""

    email = Line("Email address")


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """Change the password."""

    password = Secret("Current password", [InputRequired("Type your current password.")])
    new_password = Secret("New password")
    password_confirm = Secret(
        "The same password again", [EqualTo("new_password", "The two passwords are not the same. Type both again.")]
    )
