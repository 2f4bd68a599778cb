"""The form for a new API token, as the page sends it and as programs do."""

from datetime import datetime, timedelta

from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, SelectField, SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from blueprints.fields import Line, Paragraphs
from blueprints.rendering import day
from domain.identity.networks import read_networks
from domain.identity.tokens import Wanted
from domain.index.projects import Leaf
from domain.policy.principals import Grant
from domain.problems import Problem

LIFETIMES = (7, 30, 90, 365)  # days
USUAL = 90
NEVER = "never"
PROJECT = "project:"
GRANTS = {Grant.UPLOAD.value: "Upload files", Grant.YANK.value: "Yank releases, and take a yank back"}
READ_HERE = "Read and install: everything here, and private projects among those below"
READ_PRIVATE = "Read and install: private projects among those below"
SOME, NEW, EVERYTHING = "projects", "new", "user"
SCOPES = {EVERYTHING: EVERYTHING, "new-project": NEW}  # what a program sends as its only scope
TICKS = 20  # projects that can be ticked; of more, the others are typed


class TokenForm(FlaskForm):  # type: ignore[misc]  # flask_wtf publishes no types
    """Name, grants, reach, networks and end of a token.

    The page asks for the reach with radio buttons, ticks and a line for further names. A program may leave `reach` out
    and send `scope=user`, `scope=new-project`, or `scope=project:NAME` once or several times; without `grants` its
    token uploads. One that only reads, and for which nothing else was said, reads all that its owner does.
    """

    description = Line("What is it for?")
    grants = SelectMultipleField(
        "What may it do?",
        choices={},
        validate_choice=False,
        option_widget=CheckboxInput(),
        widget=ListWidget(),
    )
    reach = RadioField(
        "In which projects?",
        choices={
            SOME: "Only these",
            NEW: "One new project, which its first upload creates",
            EVERYTHING: "All that you have a role in, new projects included",
        },
        validate_choice=False,
    )
    scope = SelectMultipleField(
        "Projects", choices={}, validate_choice=False, option_widget=CheckboxInput(), widget=ListWidget()
    )
    names = Line("Others, by name")
    networks = Paragraphs("From which networks?")
    expires = SelectField("When does it end?", choices={}, validate_choice=False)

    def offer(self, mine: Leaf, *, longest: timedelta | None, reading: str | None, now: datetime) -> None:
        """Fill in what can be chosen, and what is chosen at first. longest: how long a token may live here.

        reading: what reading with it means, in words; None where no token is needed for that.
        """
        self.grants.choices = GRANTS | {Grant.READ.value: reading} if reading is not None else GRANTS
        self.scope.choices = {PROJECT + project.normalized_name: project.name for project in mine.projects}
        lifetimes = {days for days in LIFETIMES if longest is None or days <= longest.days}
        if longest is not None:
            lifetimes.add(longest.days)
        self._lifetimes = {
            str(days): f"{_words(days)}, to {day(now + timedelta(days=days))}" for days in sorted(lifetimes)
        }
        if longest is None:
            self._lifetimes[NEVER] = "Never, until you remove it"
        self.expires.choices = self._lifetimes
        if not self.expires.raw_data:
            self.expires.data = str(max(days for days in lifetimes if days <= USUAL or days == min(lifetimes)))
        if self.reach.data is None:
            if not self.grants.data:
                self.grants.data = [Grant.UPLOAD.value]
            self.reach.data = self._reach_of_scope(has_projects=bool(mine.projects))

    def _reach_of_scope(self, *, has_projects: bool) -> str:
        scope = self.scope.data or []
        if len(scope) == 1 and scope[0] in SCOPES:
            return SCOPES[scope[0]]
        return SOME if has_projects or self.is_submitted() else NEW

    def wanted(self, *, now: datetime) -> Wanted:
        """What was asked for. Raises Problem at the field."""
        grants = self._grants()
        reach = self.reach.data
        if grants == {Grant.READ} and (reach == NEW or not (self.reach.raw_data or self.scope.raw_data)):
            reach = EVERYTHING
        if reach not in (SOME, NEW, EVERYTHING):
            raise Problem("Choose in which projects it may do that.", field="reach")
        return Wanted(
            description=self.description.data or "",
            expires_at=self._expires_at(now=now),
            projects=self._names() if reach == SOME else None,
            creates_project=reach == NEW,
            grants=grants,
            networks=read_networks(self.networks.data or ""),
        )

    def _names(self) -> frozenset[str]:
        ticked = [value.removeprefix(PROJECT) for value in self.scope.data or []]
        return frozenset([*ticked, *(self.names.data or "").replace(",", " ").split()])

    def _grants(self) -> frozenset[Grant]:
        try:
            return frozenset(Grant(word) for word in self.grants.data or [])
        except ValueError:
            raise Problem("Choose among these.", field="grants") from None

    def _expires_at(self, *, now: datetime) -> datetime | None:
        if self.expires.data not in self._lifetimes:
            raise Problem("Choose one of these times.", field="expires")
        return None if self.expires.data == NEVER else now + timedelta(days=int(self.expires.data))


class RotateForm(FlaskForm):  # type: ignore[misc]
    """How long the former secret works on. replaces: the hint of that secret, as the page showed it."""

    replaces = HiddenField()
    overlap = RadioField(
        "How long may the former secret be used?",
        choices={"0": "Not at all", "1": "For an hour", "24": "For a day", "168": "For 7 days"},
        default="24",
        validate_choice=False,
    )

    def overlap_chosen(self) -> timedelta:
        """Raises Problem at the field."""
        if self.overlap.data not in ("0", "1", "24", "168"):
            raise Problem("Choose one of these times.", field="overlap")
        return timedelta(hours=int(self.overlap.data))


def _words(days: int) -> str:
    return {1: "1 day", 365: "A year"}.get(days, f"{days} days")
