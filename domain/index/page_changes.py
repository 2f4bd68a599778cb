"""Which simple pages the running transaction changes."""

from sqlalchemy.orm import Session

LIST = ""  # the list of all projects
_KEY = "changed_pages"


def remember(db: Session, *names: str) -> None:
    """These pages change with the transaction. names: normalised, or LIST."""
    db.info.setdefault(_KEY, set()).update(names)


def remembered(db: Session) -> list[str]:
    """Those pages, in an order that is always the same, so that two who lock them do not wait for each other."""
    return sorted(db.info.get(_KEY, ()))


def forget(db: Session) -> None:
    """The transaction is over."""
    db.info.pop(_KEY, None)
