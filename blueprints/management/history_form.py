"""What is looked for in a history, as its address says it: `?show=people&by=ana&from=2026-11-01&to=2026-11-22`."""

from datetime import date, datetime

from sqlalchemy.orm import Session
from wtforms import Form, SelectField

from blueprints.fields import Line
from domain.history import PARTS, Kind, Sought, find_doer
from domain.problems import Problem

DAY = "%Y-%m-%d"


class HistoryForm(Form):
    """Which part, who did it, and when. A part that there is not is no part."""

    show = SelectField("What", validate_choice=False)
    by = Line("Done by")
    since = Line("From", name="from")
    until = Line("To", name="to")

    def offer(self, kind: Kind) -> None:
        """Fill in what can be chosen in a history of this kind."""
        parts = PARTS[kind]
        self.show.choices = [("", "Everything"), *((part.word, part.title) for part in parts)]
        self.show.data = part.word if (part := parts.of(self.show.data or "")) else ""

    def sought(self, db: Session, kind: Kind) -> Sought:
        """What is looked for. Raises Problem at the field."""
        since, until = _day(self.since.data, "since"), _day(self.until.data, "until")
        if since is not None and until is not None and until < since:
            raise Problem("This day is before the first one.", field="until")
        return Sought(
            part=PARTS[kind].of(self.show.data),
            by_id=find_doer(db, self.by.data) if self.by.data else None,
            since=since,
            until=until,
        )

    def words(self) -> dict[str, str]:
        """What is filled in, by the names that addresses use."""
        return {field.name: field.data for field in self if field.data}


def _day(text: str, field: str) -> date | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, DAY).date()  # noqa: DTZ007 - a day has no time zone; it is meant in UTC
    except ValueError:
        raise Problem("Write the day as 2026-11-22.", field=field) from None
