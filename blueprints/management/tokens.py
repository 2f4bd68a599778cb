"""API tokens: a list, a form, and the one page that shows a new one."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from blueprints import intent, wiring
from blueprints.form_problems import INVALID, Status, put
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.token_form import READ_HERE, READ_PRIVATE, TICKS, TokenForm
from blueprints.management.token_rows import row_of
from domain.identity import tokens as api_tokens
from domain.index import projects
from domain.index.reading import Reader, are_any_private
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import db


@bp.route("/manage/account/token/", methods=["GET", "POST"])
@management_action(
    Action.CREATE_TOKEN, keeps=("description", "reach", "expires", "networks", "grants", "scope", "names")
)
def tokens(permit: Permit) -> ResponseReturnValue:
    """List the tokens and make one. A new one is shown in the answer itself: a redirect would have to keep it."""
    is_kept = intent.is_resumed()
    form = TokenForm(formdata=request.args) if is_kept else TokenForm()
    found, now = wiring.services(), wiring.now()
    mine = projects.leaf(db.session(), permit.account.user_id, most=TICKS)
    form.offer(mine, longest=found.longest_token, reading=_reading(permit), now=now)
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
    return render_template("management/token_minted.html", token=token, text=text, former_until=None)


def _reading(permit: Permit) -> str | None:
    """What reading with a token means to this person; None where they read everything without one."""
    if wiring.services().policy.members_only:
        return READ_HERE
    return READ_PRIVATE if are_any_private(db.session(), Reader(permit.account.user_id)) else None


def _page(
    permit: Permit, form: TokenForm, mine: projects.Leaf, status: Status, *, is_kept: bool = False
) -> ResponseReturnValue:
    now, longest = wiring.now(), wiring.services().longest_token
    rows = [row_of(token, now=now) for token in api_tokens.list_of(db.session(), permit.account.user_id)]
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
