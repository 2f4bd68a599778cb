"""The list of all projects that are open to every reader, rendered once for each change, in each process."""

import threading
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.index import page_changes, reading, simple
from domain.index.codings import Coding, encode
from domain.index.reading import NOBODY, Reader
from domain.index.simple import Format, Rendered
from models import Catalogue, Project, insert_into


def changed(db: Session, name: str) -> None:
    """A name came or went, or is for others now: say so in the transaction in which it did. name: normalised."""
    page_changes.remember(db, name, page_changes.LIST)
    counted = insert_into(db, Catalogue).values(id=1, changes=1)
    db.execute(counted.on_conflict_do_update(index_elements=["id"], set_={"changes": Catalogue.changes + 1}))


class NameList:
    """Keeps the list in memory, in each form that was asked for. Threads may share one.

    Whether it is the present one is asked of the database each time, by one number: so all processes tell the same,
    and a new project is there the moment it is.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes = -1
        self._pages: dict[tuple[bool, Coding], Rendered] = {}

    def page(
        self, session: Callable[[], Session], changes: int, form: Format, coding: Coding, reader: Reader = NOBODY
    ) -> Rendered:
        """The list in this form and coding, with the private projects that this reader may read.

        session: called only where the list must be read. changes: `quick_reads.changes`, asked before this.
        """
        if reader.user_id is not None and reading.are_any_private(session(), reader):
            return render(session(), as_json=form is Format.JSON, coding=coding, reader=reader)
        if (found := self.kept(changes, form, coding)) is not None:
            return found
        db = session()
        db.rollback()  # it may have begun to read before `changes` was asked, and know an older list only
        page = render(db, as_json=form is Format.JSON, coding=coding)
        with self._lock:
            if changes > self._changes:
                self._changes, self._pages = changes, {}
            if changes == self._changes:
                self._pages[form is Format.JSON, coding] = page
        return page

    def kept(self, changes: int, form: Format, coding: Coding) -> Rendered | None:
        """The list of what is open to everybody, if it is rendered already."""
        with self._lock:
            return self._pages.get((form is Format.JSON, coding)) if self._changes == changes else None


def render(db: Session, *, as_json: bool, coding: Coding, reader: Reader = NOBODY) -> Rendered:
    """The list as it is now, for this reader."""
    names = select(Project.normalized_name, Project.name).where(reading.visible_to(reader))
    rows = [(normalized, name) for normalized, name in db.execute(names.order_by(Project.normalized_name))]
    page = simple.index_json(rows) if as_json else simple.index_html(rows)
    return page if coding is Coding.IDENTITY else encode(page.body, coding)
