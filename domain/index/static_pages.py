"""The simple pages as files for a web server: none of them ever says what is no longer so.

A page that does not stand there is the application's to answer, so that its absence is never wrong. Whatever changes a
page therefore takes its files away before it commits, under a lock that it keeps until then; they are written
afterwards, from what the database says under that lock. Of two changes the later one has the last word, and what a
crash leaves out is only slower until it is written.
"""

from collections.abc import Iterable
from typing import TypeVarTuple

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session, aliased

from adapters.static_tree import PageFile, StaticTree
from domain.index import name_list, page_changes, simple
from domain.index.codings import Coding, encode
from domain.index.page_changes import LIST
from domain.index.simple import Format, Rendered
from models import KeptPage, Project, begin_writing

Columns = TypeVarTuple("Columns")
_HTML, _JSON = aliased(KeptPage), aliased(KeptPage)


def withdraw_changed(db: Session, tree: StaticTree) -> None:
    """Take the pages that change away, last before the commit. Readers get them from the application from here on: the
    old ones until the commit, and then the new ones.

    Raises OSError if a file cannot be removed: then nothing may be committed that it must not say any more.
    """
    db.flush()  # whatever else has to be waited for comes before these locks
    for name in page_changes.remembered(db):
        _hold(db, name)
        tree.withdraw(name)


def write(db: Session, tree: StaticTree, name: str) -> None:
    """Have a page's files say what everybody may read now; none, if there is no such page for everybody. To be called
    first in a writing transaction, which the caller ends."""
    _hold(db, name)
    pages = _list(db) if name == LIST else _project(db, name)
    if pages is None:
        tree.withdraw(name)
    elif tree.stamps(name) != _stamps(*pages):
        tree.withdraw(name)
        tree.put(name, _files(*pages))


def write_each(db: Session, tree: StaticTree, names: Iterable[str]) -> None:
    """The same of several. Each is a transaction of its own, and commits."""
    for name in names:
        begin_writing(db)
        write(db, tree, name)
        db.commit()


def mend(db: Session, tree: StaticTree) -> int:
    """Have the whole tree say what the database says, and return how many pages did not: those that a crash left out,
    and all that changed while no tree was kept. What is wrong goes first. Commits as `write_each` does."""
    tree.forget_others()
    wrong, missing = compare(db, tree)
    for name in wrong:
        begin_writing(db)
        _hold(db, name)
        tree.withdraw(name)
        db.commit()
    write_each(db, tree, [*wrong, *missing])
    return len(wrong) + len(missing)


def compare(db: Session, tree: StaticTree) -> tuple[list[str], list[str]]:
    """The pages that stand in the tree and must not, or not as they are, and those that are missing. By the stamps
    alone: no file is read."""
    wrong: list[str] = []
    missing: list[str] = []
    stands, expected = tree.names(), _expected(db)
    for name in sorted(stands | set(expected)):
        found = tree.stamps(name) if name in stands else (None, None)
        if name in expected and found == expected[name]:
            continue
        (missing if found == (None, None) and name in expected else wrong).append(name)
    return wrong, missing


def _hold(db: Session, name: str) -> None:
    """Be the only one who writes or withdraws this page, until the transaction ends. SQLite has one writer, which is
    enough once the transaction has begun."""
    if db.connection().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"page:{name}", 0))))


def _expected(db: Session) -> dict[str, tuple[int, int]]:
    rows = db.execute(_of_public_projects(select(Project.normalized_name, _HTML.etag, _JSON.etag)))
    found = {name: (_stamp(html), _stamp(json)) if html else _stamps(*_reserved(name)) for name, html, json in rows}
    return {**found, LIST: _stamps(*_list(db))}


def _project(db: Session, name: str) -> tuple[Rendered, Rendered] | None:
    pages = _of_public_projects(select(_HTML.body, _HTML.etag, _JSON.body, _JSON.etag))
    row = db.execute(pages.where(Project.normalized_name == name)).one_or_none()
    if row is None:
        return None
    return _reserved(name) if row[0] is None else (Rendered(row[0], row[1]), Rendered(row[2], row[3]))


def _of_public_projects(statement: Select[*Columns]) -> Select[*Columns]:
    """With the pages of each beside it as they are before they are packed; with nothing, where a name is reserved."""
    statement = statement.select_from(Project)
    for page, form in ((_HTML, Format.HTML), (_JSON, Format.JSON)):
        plain = and_(page.form == form.kept_as, page.coding == Coding.IDENTITY.value)
        statement = statement.outerjoin(page, and_(page.project_id == Project.id, plain))
    return statement.where(Project.is_private.is_(False))


def _reserved(name: str) -> tuple[Rendered, Rendered]:
    return simple.project_html(name, []), simple.project_json(name, [])


def _list(db: Session) -> tuple[Rendered, Rendered]:
    html, json = (name_list.render(db, as_json=as_json, coding=Coding.IDENTITY) for as_json in (False, True))
    return html, json


def _files(html: Rendered, json: Rendered) -> dict[str, PageFile]:
    files = {}
    for filename, page in (("index.html", html), ("index.json", json)):
        for ending, coding in (("", Coding.IDENTITY), (".gz", Coding.GZIP), (".br", Coding.BROTLI)):
            coded = page if coding is Coding.IDENTITY else encode(page.body, coding)
            files[filename + ending] = PageFile(coded.body, _stamp(coded.etag))
    return files


def _stamps(html: Rendered, json: Rendered) -> tuple[int, int]:
    return _stamp(html.etag), _stamp(json.etag)


def _stamp(etag: str) -> int:
    """31 bits of the ETag, which is a digest: as many as every file system keeps of a time."""
    return int(etag[1:9], 16) >> 1
