"""API tokens: a list, a form, and the one page that shows a new one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from blueprints import intent, wiring
from blueprints.form_problems import INVALID, Status, put
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.targets import ROW_ID, token_from_url
from blueprints.management.token_form import TICKS, TokenForm
from domain.identity import tokens as api_tokens
from domain.index import projects
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import ApiToken, db

SOON = timedelta(days=7)


@dataclass(frozen=True)
class Row:
    """A token as the list shows it. stamp: what to know of its end, and how urgently."""

    token: ApiToken
    last_used: str
    stamp: tuple[str, str] | None


@bp.route("/manage/account/token/", methods=["GET", "POST"])
@management_action(
    Action.CREATE_TOKEN, keeps=("description", "reach", "expires", "names", "networks", "grants", "scope")
)
def tokens(permit: Permit) -> ResponseReturnValue:
    """List the tokens and make one. A new one is shown in the answer itself: a redirect would have to keep it."""
    is_kept = intent.is_resumed()
    form = TokenForm(formdata=request.args) if is_kept else TokenForm()
    found, now = wiring.services(), wiring.now()
    mine = projects.leaf(db.session(), permit.account.user_id, most=TICKS)
    form.offer(mine, longest=found.longest_token, now=now)
    if not form.validate_on_submit():
        return _page(permit, form, mine, (INVALID if form.errors else 200, {}), is_kept=is_kept)
    try:
        token, text = api_tokens.mint(
            db.session(),
            permit,
            found.notices,
            form.wanted(now=now),
            held=projects.held,
            longest=found.longest_token,
            now=now,
        )
    except Problem as problem:
        db.session.rollback()
        return _page(permit, form, mine, put(form, problem))
    db.session.commit()
    return render_template("management/token_minted.html", token=token, text=text)


@bp.route(f"/manage/account/token/<{ROW_ID}:token_id>/remove/", methods=["GET", "POST"])
@management_action(Action.REMOVE_TOKEN, target=token_from_url)
def remove_token(permit: Permit, token: ApiToken) -> ResponseReturnValue:
    """Ask whether the token is to go, and let it go."""
    form, name = FlaskForm(), token.description
    if not form.validate_on_submit():
        return render_template("management/remove_token.html", form=form, row=_row(token, now=wiring.now()))
    api_tokens.remove(db.session(), permit, wiring.services().notices, token, now=wiring.now())
    db.session.commit()
    flash(f"“{name}” was removed. It is refused from now on.", "success")
    return redirect(url_for("management.tokens"), 303)


def _page(
    permit: Permit, form: TokenForm, mine: projects.Leaf, status: Status, *, is_kept: bool = False
) -> ResponseReturnValue:
    now, longest = wiring.now(), wiring.services().longest_token
    rows = [_row(token, now=now) for token in api_tokens.list_of(db.session(), permit.account.user_id)]
    page = render_template(
        "management/tokens.html",
        form=form,
        has_projects=bool(mine.projects),
        has_more=mine.older is not None or bool(form.names.data),
        is_kept=is_kept,
        rows=rows,
        most=api_tokens.MAX_TOKENS,
        longest=longest.days if longest is not None else None,
    )
    return page, *status


def _row(token: ApiToken, *, now: datetime) -> Row:
    last_used = ", ".join(filter(None, (token.last_used_with, token.last_used_from)))
    return Row(token, last_used, _stamp(token.expires_at, now=now))


def _stamp(expires_at: datetime | None, *, now: datetime) -> tuple[str, str] | None:
    if expires_at is None or expires_at - now > SOON:
        return None
    if expires_at <= now:
        return "Ended", "danger"
    days = -((now - expires_at) // timedelta(days=1))
    return ("1 day" if days == 1 else f"{days} days"), "warn"
