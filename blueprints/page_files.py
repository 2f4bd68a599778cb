"""Keeps the static tree in step with every commit, whichever view or command makes it."""

import structlog
from flask import Flask, has_app_context
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from blueprints import wiring
from domain.index import page_changes, static_pages
from models.base import ModeSession, db


def listen() -> None:
    """Have every session of this process call us; once is enough for all applications in it."""
    if not event.contains(ModeSession, "before_commit", _withdraw):
        event.listen(ModeSession, "before_commit", _withdraw)
        event.listen(ModeSession, "after_commit", _write)
        event.listen(ModeSession, "after_rollback", page_changes.forget)


def mend(app: Flask) -> None:
    """Write what a crash left out, and what changed while no tree was kept."""
    with app.app_context():
        tree = wiring.services().static_tree
        if tree is not None:
            db.session.info["reading"] = True
            static_pages.mend(db.session(), tree)


def write_list(app: Flask) -> None:
    """Write the list of all projects, if it has changed since."""
    with app.app_context():
        tree = wiring.services().static_tree
        if tree is not None and None in tree.stamps(page_changes.LIST):
            static_pages.write_each(db.session(), tree, [page_changes.LIST])


def _withdraw(session: Session) -> None:
    tree = wiring.services().static_tree if has_app_context() else None
    if tree is not None and not session.in_nested_transaction():
        static_pages.withdraw_changed(session, tree)


def _write(session: Session) -> None:
    """What cannot be written now is missing until it is mended. The list of all projects waits for `write_list`: it
    costs most, and a thousand new projects would write it a thousand times."""
    if session.in_nested_transaction():
        return
    names = [name for name in page_changes.remembered(session) if name != page_changes.LIST]
    page_changes.forget(session)
    tree = wiring.services().static_tree if has_app_context() else None
    if tree is None or not names:
        return
    try:
        with Session(db.engine) as other:  # this one may not be used until its commit is over
            static_pages.write_each(other, tree, names)
    except (OSError, SQLAlchemyError) as error:
        structlog.get_logger().warning("a static page was not written", names=names, error=str(error)[:255])
