"""What happened to an account, a project or an organization: page by page, looked through, and as a file."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.form_problems import INVALID, put
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.history_form import HistoryForm
from blueprints.management.targets import organization_from_url, project_from_url
from blueprints.rendering import iso
from blueprints.spreadsheet import csv_answer
from blueprints.url_values import number
from domain.history import PARTS, Book, Entry, Kind, Leaf, leaf
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import OrganizationRole, Role
from domain.problems import Problem
from models import Organization, Project, db

KEPT = ("show", "by", "from", "to")
MOST_ROWS = 10_000  # of a file; whoever needs more asks for it year by year
HEAD = ("time", "event", "words", "by", "about", "address", "browser")
PAGES = {
    Kind.ACCOUNT: "management.history",
    Kind.PROJECT: "management.project_history",
    Kind.ORGANIZATION: "management.organization_history",
}
NOTHING = Leaf([], older=None)


@bp.get("/manage/account/history/")
@management_action(Action.VIEW_HISTORY, keeps=KEPT)
def history(permit: Permit) -> ResponseReturnValue:
    """Show what happened to one's account."""
    return _page(permit, Book(Kind.ACCOUNT, permit.account.user_id))


@bp.get("/manage/account/history.csv")
@management_action(Action.VIEW_HISTORY, resume="management.history", keeps=KEPT)
def history_file(permit: Permit) -> ResponseReturnValue:
    """Hand out what happened to one's account."""
    return _file(permit, Book(Kind.ACCOUNT, permit.account.user_id), permit.account.username)


@bp.get("/manage/project/<name>/history/")
@management_action(Action.VIEW_PROJECT_HISTORY, target=project_from_url, keeps=KEPT)
def project_history(permit: Permit, project: Project) -> ResponseReturnValue:
    """Show what happened to a project."""
    return _page(permit, _of_project(permit, project), project=project)


@bp.get("/manage/project/<name>/history.csv")
@management_action(
    Action.VIEW_PROJECT_HISTORY, target=project_from_url, resume="management.project_history", keeps=KEPT
)
def project_history_file(permit: Permit, project: Project) -> ResponseReturnValue:
    """Hand out what happened to a project."""
    return _file(permit, _of_project(permit, project), project.normalized_name)


@bp.get("/manage/organization/<organization>/history/")
@management_action(Action.VIEW_ORGANIZATION_HISTORY, target=organization_from_url, keeps=KEPT)
def organization_history(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """Show what happened to an organization."""
    return _page(permit, _of_organization(permit, organization), organization=organization)


@bp.get("/manage/organization/<organization>/history.csv")
@management_action(
    Action.VIEW_ORGANIZATION_HISTORY,
    target=organization_from_url,
    resume="management.organization_history",
    keeps=KEPT,
)
def organization_history_file(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """Hand out what happened to an organization."""
    return _file(permit, _of_organization(permit, organization), organization.name_key)


def _of_project(permit: Permit, project: Project) -> Book:
    """Whom its owners invited by address is for them to know, as on the page of its people."""
    is_owner = permit.target is not None and permit.target.role is Role.OWNER
    return Book(Kind.PROJECT, project.id, hides_guests=not is_owner)


def _of_organization(permit: Permit, organization: Organization) -> Book:
    is_owner = permit.target is not None and permit.target.organization_role is OrganizationRole.OWNER
    return Book(Kind.ORGANIZATION, organization.id, hides_guests=not is_owner)


def _page(permit: Permit, book: Book, **facts: object) -> ResponseReturnValue:
    form, found, status = _form(book), NOTHING, 200
    try:
        found = _look(permit, book, form, before=number(request.args.get("before", "")))
    except Problem as problem:
        status = INVALID
        put(form, problem)
    words = form.words()
    page = render_template(
        f"management/{PAGES[book.kind].partition('.')[2]}.html",
        form=form,
        leaf=found,
        part=PARTS[book.kind].of(words.get("show", "")),
        parts=list(PARTS[book.kind]),
        is_narrowed=bool(words),
        is_later=bool(request.args.get("before")),
        older=_address(PAGES[book.kind], **words, before=found.older) if found.older else None,
        file=_address(f"{PAGES[book.kind]}_file", **words),
        most_rows=MOST_ROWS,
        whole=_address(PAGES[book.kind]),
        **facts,
    )
    return page, status


def _file(permit: Permit, book: Book, name: str) -> ResponseReturnValue:
    form = _form(book)
    try:
        found = _look(permit, book, form, most=MOST_ROWS)
    except Problem:  # the page says what is wrong
        return redirect(_address(PAGES[book.kind], **_asked()), 303)
    return csv_answer(f"{name}-history.csv", HEAD, (_row(entry) for entry in found.entries))


def _asked() -> dict[str, str]:
    """What the address asks for, whatever it is."""
    return {name: request.args[name] for name in KEPT if name in request.args}


def _form(book: Book) -> HistoryForm:
    form = HistoryForm(request.args)
    form.offer(book.kind)
    return form


def _look(permit: Permit, book: Book, form: HistoryForm, **which: Any) -> Leaf:  # Any: a page, or how much of it
    """Raises Problem at the field, or without words of its own where the field has them."""
    if not form.validate():
        raise Problem("Nothing was looked for.")
    sought = form.sought(db.session(), book.kind)
    return leaf(db.session(), book, reader_id=permit.account.user_id, sought=sought, **which)


def _row(entry: Entry) -> list[str]:
    address, browser = (entry.origin.address, entry.origin.user_agent) if entry.origin else ("", "")
    return [iso(entry.at), entry.tag, entry.words, entry.by or "", entry.about or "", address, browser]


def _address(endpoint: str, **words: Any) -> str:  # Any: whatever an address can hold
    return url_for(endpoint, **(request.view_args or {}), **words)
