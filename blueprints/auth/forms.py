"""Forms of signing up, signing in, and passwords that were forgotten. What they may hold is for the domain to say."""

from flask_wtf import FlaskForm
from wtforms.validators import EqualTo, InputRequired

from blueprints.fields import Line, Secret

NOT_THE_SAME = "The two passwords are not the same. Type both again."


class RegisterForm(FlaskForm):  # type: ignore[misc]  # flask_wtf publishes no types
    """Make an account."""

    username = Line("Username")
    email = Line("Email address")
    full_name = Line("Full name")
    new_password = Secret("Password")
    password_confirm = Secret("The same password again", [EqualTo("new_password", NOT_THE_SAME)])


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Sign in with a password."""

    username = Line("Username or email address", [InputRequired("Type your username or your email address.")])
    password = Secret("Password", [InputRequired("Type your password.")])


class RequestResetForm(FlaskForm):  # type: ignore[misc]
    """Ask for a link that sets a new password."""

    username_or_email = Line(
        "Username or email address", [InputRequired("Type your username, or an email address of your account.")]
    )


class ResetPasswordForm(FlaskForm):  # type: ignore[misc]
    """Set a new password through a link."""

    new_password = Secret("New password")
    password_confirm = Secret("The same password again", [EqualTo("new_password", NOT_THE_SAME)])
