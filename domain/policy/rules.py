"""Enforcement rules: from when on who needs a second factor."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta


@dataclass(frozen=True)
class Rule:
    """Accounts registered on or after `registered_from` (None: all) need a second factor from `starts` on. UTC."""

    id: str
    registered_from: date | None
    starts: date

    def is_in_force(self, now: datetime) -> bool:
        """Whether the rule's day has come."""
        return now.astimezone(UTC).date() >= self.starts

    def covers(self, registered_at: datetime) -> bool:
        """Whether an account registered then belongs to those whom the rule is about."""
        return self.registered_from is None or registered_at.astimezone(UTC).date() >= self.registered_from

    @property
    def sentence(self) -> str:
        """The rule in plain words."""
        if self.registered_from is not None:
            who = f"Accounts registered on or after {_spoken(self.registered_from)}"
            return f"{who} need a second factor before any management action."
        if self.starts == date.min:
            return "Every account needs a second factor before any management action."
        return f"From {_spoken(self.starts)} on every account needs a second factor before any management action."


@dataclass(frozen=True)
class Policy:
    """The rules of this index. `fresh_for`: how long a confirmation that it is you lasts.

    members_only: whoever reads needs an account, and programs a token that may read.
    """

    rules: tuple[Rule, ...]
    members_only: bool = False
    fresh_for: timedelta = timedelta(minutes=15)

    @classmethod
    def from_dates(cls, *, new_users_from: date, everyone_from: date | None, members_only: bool = False) -> "Policy":
        """The two dates of PyPI's announcement. `date.min` for new users means always, and so everyone."""
        if new_users_from == date.min:
            return cls((Rule("everyone", None, date.min),), members_only)
        rules = [Rule(f"new-users-{new_users_from}", new_users_from, new_users_from)]
        if everyone_from is not None:
            rules.append(Rule(f"everyone-{everyone_from}", None, everyone_from))
        return cls(tuple(rules), members_only)


def _spoken(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
