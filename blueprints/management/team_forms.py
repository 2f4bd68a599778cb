"""Forms about teams. What may stand in their fields is for the domain to say."""

from flask_wtf import FlaskForm
from wtforms import RadioField

from blueprints.fields import Line
from domain.policy.targets import Role


class NameForm(FlaskForm):  # type: ignore[misc]  # flask_wtf publishes no types
    """Call a team something."""

    name = Line("Name")


class MemberForm(FlaskForm):  # type: ignore[misc]
    """Add somebody to a team."""

    username = Line("Username")


class RoleForm(FlaskForm):  # type: ignore[misc]
    """Give a team a role in a project."""

    project = Line("Project")
    role = RadioField(
        "What may the team do?",
        choices={
            Role.MAINTAINER.word: "Maintainer: upload releases",
            Role.OWNER.word: "Owner: also delete releases, invite and remove people",
        },
        default=Role.MAINTAINER.word,
        validate_choice=False,
    )
