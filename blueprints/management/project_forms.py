"""Forms about projects. What may stand in their fields is for the domain to say."""

from flask_wtf import FlaskForm
from wtforms import RadioField

from blueprints.fields import Line
from domain.policy.targets import Role
from domain.problems import Problem


class ReserveForm(FlaskForm):  # type: ignore[misc]  # flask_wtf publishes no types
    """Reserve a name."""

    name = Line("Name")


class DeleteProjectForm(FlaskForm):  # type: ignore[misc]
    """Delete what is typed."""

    confirm = Line("Type the project’s name to delete it")


class TransferForm(FlaskForm):  # type: ignore[misc]
    """Offer a project to somebody."""

    kind = RadioField(
        "Who is to have it?",
        choices={"person": "A person", "organization": "An organization"},
        default="person",
        validate_choice=False,
    )
    receiver = Line("Their username, or the organization’s name")
    confirm = Line("Type the project’s name to hand it over")

    def is_organization(self) -> bool:
        """Whether the name is an organization's. Raises Problem at the field where neither was chosen."""
        if self.kind.data not in ("person", "organization"):
            raise Problem("Choose a person or an organization.", field="kind")
        return bool(self.kind.data == "organization")


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

    username = Line("Username or email address")
    role = RadioField(
        "What may they do?",
        choices={
            Role.MAINTAINER.word: "Maintainer: upload releases",
            Role.OWNER.word: "Owner: also delete releases, invite and remove people",
        },
        default=Role.MAINTAINER.word,
        validate_choice=False,
    )
