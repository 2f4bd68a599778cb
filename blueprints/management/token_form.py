"""The form for a new API token, as the page sends it and as programs do."""

from datetime import datetime, timedelta

from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField, SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from blueprints.fields import Line
from blueprints.rendering import day
from domain.index.names import normalize
from domain.problems import Problem
from models import Project

LIFETIMES = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "A year"}
NEVER = "never"
PROJECT = "project:"
SOME, EVERYTHING = "projects", "user"


class TokenForm(FlaskForm):  # type: ignore[misc]  # flask_wtf publishes no types
    """Name, reach and end of a token.

    The page asks for the reach with radio buttons and ticks. A program may leave `reach` out and send `scope=user`, or
    `scope=project:NAME` once or several times.
    """

    description = Line("What is it for?")
    reach = RadioField(
        "What may it upload to?",
        choices={
            SOME: "Only these projects",
            EVERYTHING: "Everything you can upload to, new projects included",
        },
        validate_choice=False,
    )
    scope = SelectMultipleField(
        "Projects", choices={}, validate_choice=False, option_widget=CheckboxInput(), widget=ListWidget()
    )
    expires = SelectField("When does it end?", choices={}, validate_choice=False, default="90")

    def offer(self, projects: list[Project], *, now: datetime) -> None:
        """Fill in what can be chosen, and what is chosen at first."""
        self.scope.choices = {PROJECT + project.normalized_name: project.name for project in projects}
        self.expires.choices = {
            days: f"{words}, to {day(now + timedelta(days=int(days)))}" for days, words in LIFETIMES.items()
        } | {NEVER: "Never, until you remove it"}
        if self.reach.data is None:
            is_everything = self.scope.data == [EVERYTHING] or not (projects or self.is_submitted())
            self.reach.data = EVERYTHING if is_everything else SOME

    def project_ids(self, projects: list[Project]) -> frozenset[int] | None:
        """The projects that were chosen; None for everything. Raises Problem at the field."""
        if self.reach.data == EVERYTHING:
            return None
        if self.reach.data != SOME:
            raise Problem("Choose what it may upload to.", field="reach")
        ids = {project.normalized_name: project.id for project in projects}
        chosen = [normalize(value.removeprefix(PROJECT)) for value in self.scope.data or []]
        if not ids.keys() >= set(chosen):
            raise Problem("Choose among the projects that you have a role in.", field="scope")
        return frozenset(ids[name] for name in chosen)

    def expires_at(self, *, now: datetime) -> datetime | None:
        """When the token ends; None for never. Raises Problem at the field."""
        if self.expires.data == NEVER:
            return None
        if self.expires.data not in LIFETIMES:
            raise Problem("Choose one of these times.", field="expires")
        return now + timedelta(days=int(self.expires.data))
