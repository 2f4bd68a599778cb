"""Forms about organizations. What may stand in their fields is for the domain to say."""

from flask_wtf import FlaskForm
from wtforms import RadioField

from blueprints.fields import Line, Paragraphs
from domain.policy.targets import OrganizationRole


class FactsForm(FlaskForm):  # type: ignore[misc]  # flask_wtf publishes no types
    """What an organization says of itself."""

    display_name = Line("What it is called")
    url = Line("Web address")
    description = Line("Description")


class RequestForm(FactsForm):
    """Ask for an organization."""

    name = Line("Name")
    purpose = Paragraphs("What is it for?")


class AnswerForm(FlaskForm):  # type: ignore[misc]
    """Answer the administrators' question."""

    answer = Paragraphs("Your answer")


class DeleteOrganizationForm(FlaskForm):  # type: ignore[misc]
    """Delete what is typed."""

    confirm = Line("Type the organization’s name to delete it")


class InviteMemberForm(FlaskForm):  # type: ignore[misc]
    """Ask somebody in."""

    guest = Line("Username or email address")
    role = RadioField(
        "What may they do?",
        choices={
            OrganizationRole.MEMBER.word: "Member: what their teams may do",
            OrganizationRole.MANAGER.word: "Manager: fill teams and take projects in",
            OrganizationRole.OWNER.word: "Owner: everything, in all projects, too",
        },
        default=OrganizationRole.MEMBER.word,
        validate_choice=False,
    )
