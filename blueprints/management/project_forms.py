"""Forms about projects. What may stand in their fields is for the domain to say."""

from flask_wtf import FlaskForm
from wtforms import RadioField

from blueprints.fields import Line
from domain.policy.targets import Role


class ReserveForm(FlaskForm):  # type: ignore[misc]  # flask_wtf publishes no types
    """Reserve a name."""

    name = Line("Name")


class DeleteForm(FlaskForm):  # type: ignore[misc]
    """Delete what is typed."""

    confirm = Line("Type the version to delete it")


class DeleteFileForm(FlaskForm):  # type: ignore[misc]
    """Delete a file of the project that is typed."""

    confirm = Line("Type the project’s name to delete the file")


class YankForm(FlaskForm):  # type: ignore[misc]
    """Yank a release."""

    reason = Line("Why?")


class InviteForm(FlaskForm):  # type: ignore[misc]
    """Ask somebody to help."""

    username = Line("Username")
    role = RadioField(
        "What may they do?",
        choices={
            Role.MAINTAINER.word: "Maintainer: upload releases",
            Role.OWNER.word: "Owner: also delete releases, invite and remove people",
        },
        default=Role.MAINTAINER.word,
        validate_choice=False,
    )
