"""Issuers of identities besides the built-in ones: the list, another one, one that goes."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from blueprints import intent, wiring
from blueprints.admin import bp
from blueprints.admin.forms import IssuerForm
from blueprints.admin.targets import issuer_from_url
from blueprints.form_problems import INVALID, Status, put
from blueprints.gate import management_action
from blueprints.url_values import ROW_ID
from domain.index import issuers
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import Issuer, db

SHOWN = 50  # projects, on the page that says why an issuer has to stay


@bp.get("/admin/issuers/", endpoint="issuers")
@management_action(Action.VIEW_ISSUERS)
def list_issuers(permit: Permit) -> ResponseReturnValue:
    """List the issuers that were added, with a form for another one."""
    is_kept = intent.is_resumed()
    form = IssuerForm(formdata=request.args) if is_kept else IssuerForm()
    return _page(form, (200, {}), is_kept=is_kept)


@bp.post("/admin/issuers/add")
@management_action(Action.ADD_ISSUER, resume="admin.issuers", keeps=("kind", "name", "url", "allows_private"))
def add_issuer(permit: Permit) -> ResponseReturnValue:
    """Let publishers name another issuer."""
    form = IssuerForm()
    if not form.validate_on_submit():
        return _page(form, (INVALID, {}))
    try:
        issuer = issuers.add(
            db.session(),
            permit,
            wiring.services().notices,
            kind=form.kind.data or "",
            name=form.name.data,
            url=form.url.data,
            allows_private=form.allows_private.data,
            now=wiring.now(),
        )
    except Problem as problem:
        db.session.rollback()
        return _page(form, put(form, problem))
    return _done(f"Publishers can name {issuer.name} now.")


@bp.route(f"/admin/issuers/<{ROW_ID}:issuer_id>/remove", methods=["GET", "POST"])
@management_action(Action.REMOVE_ISSUER, target=issuer_from_url)
def remove_issuer(permit: Permit, issuer: Issuer) -> ResponseReturnValue:
    """Say who names the issuer, and let it go if nobody does."""
    form, name = FlaskForm(), issuer.name
    if not form.validate_on_submit():
        return _question(form, issuer, (INVALID if form.errors else 200, {}))
    try:
        issuers.remove(db.session(), permit, wiring.services().notices, issuer, now=wiring.now())
    except Problem as problem:
        db.session.rollback()
        return _question(form, issuer, put(form, problem))
    return _done(f"No publisher can name {name} any more.")


def _page(form: IssuerForm, status: Status, *, is_kept: bool = False) -> ResponseReturnValue:
    page = render_template("admin/issuers.html", form=form, lines=issuers.listed(db.session()), is_kept=is_kept)
    return page, *status


def _question(form: FlaskForm, issuer: Issuer, status: Status) -> ResponseReturnValue:
    projects = issuers.projects_of(db.session(), issuer, most=SHOWN + 1)
    page = render_template(
        "admin/remove_issuer.html",
        form=form,
        issuer=issuer,
        projects=projects[:SHOWN],
        has_more=len(projects) > SHOWN,
        pending=issuers.pending_of(db.session(), issuer),
    )
    return page, *status


def _done(words: str) -> ResponseReturnValue:
    db.session.commit()
    flash(words, "success")
    return redirect(url_for("admin.issuers"), 303)
