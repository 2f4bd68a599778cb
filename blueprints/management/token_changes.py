"""What becomes of an API token: a new secret, an end to the former one, the end of one or of all."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from blueprints import intent, wiring
from blueprints.form_problems import INVALID, Status, put
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.targets import ROW_ID, token_from_url
from blueprints.management.token_form import RotateForm
from blueprints.management.token_rows import row_of
from domain.identity import token_rotation, tokens
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import ApiToken, db


@bp.route(f"/manage/account/token/<{ROW_ID}:token_id>/rotate/", methods=["GET", "POST"])
@management_action(Action.ROTATE_TOKEN, target=token_from_url, keeps=("overlap",))
def rotate_token(permit: Permit, token: ApiToken) -> ResponseReturnValue:
    """Ask how long the former secret is to work on, and show the new one in the answer itself, once."""
    typed = {"formdata": request.args} if intent.is_resumed() else {}
    form, found, now = RotateForm(replaces=token.hint, **typed), wiring.services(), wiring.now()
    if not form.validate_on_submit():
        return _question(form, token, (INVALID if form.errors else 200, {}))
    try:
        text = token_rotation.rotate(
            db.session(),
            permit,
            found.notices,
            token,
            replaces=form.replaces.data or "",
            overlap=form.overlap_chosen(),
            longest=found.longest_token,
            now=now,
        )
    except Problem as problem:
        db.session.rollback()
        return _refused(form, token, problem)
    db.session.commit()
    return render_template("management/token_minted.html", token=token, text=text, former_until=token.former_until)


@bp.post(f"/manage/account/token/<{ROW_ID}:token_id>/end-former")
@management_action(Action.ROTATE_TOKEN, target=token_from_url, resume="management.tokens")
def end_former_secret(permit: Permit, token: ApiToken) -> ResponseReturnValue:
    """Void the secret before the present one, without waiting for its end."""
    name = token.description
    token_rotation.end_former(db.session(), permit, wiring.services().notices, token, now=wiring.now())
    db.session.commit()
    flash(f"The former secret of “{name}” is refused from now on.", "success")
    return redirect(url_for("management.tokens"), 303)


@bp.route(f"/manage/account/token/<{ROW_ID}:token_id>/remove/", methods=["GET", "POST"])
@management_action(Action.REMOVE_TOKEN, target=token_from_url)
def remove_token(permit: Permit, token: ApiToken) -> ResponseReturnValue:
    """Ask whether the token is to go, and let it go."""
    form, name = FlaskForm(), token.description
    if not form.validate_on_submit():
        return render_template("management/remove_token.html", form=form, row=row_of(token, now=wiring.now()))
    tokens.remove(db.session(), permit, wiring.services().notices, token, now=wiring.now())
    db.session.commit()
    flash(f"“{name}” was removed. It is refused from now on.", "success")
    return redirect(url_for("management.tokens"), 303)


@bp.route("/manage/account/token/remove-all/", methods=["GET", "POST"])
@management_action(Action.REMOVE_ALL_TOKENS)
def remove_all_tokens(permit: Permit) -> ResponseReturnValue:
    """Ask whether all tokens are to go, and let them go."""
    form, now = FlaskForm(), wiring.now()
    if not form.validate_on_submit():
        rows = [row_of(token, now=now) for token in tokens.list_of(db.session(), permit.account.user_id)]
        return render_template("management/remove_all_tokens.html", form=form, rows=rows)
    count = tokens.remove_all(db.session(), permit, wiring.services().notices, now=now)
    db.session.commit()
    flash("You have no token any more." if count != 1 else "Your token was removed.", "success")
    return redirect(url_for("management.tokens"), 303)


def _refused(form: RotateForm, token: ApiToken, problem: Problem) -> ResponseReturnValue:
    """The question once more; where the token went meanwhile, the list."""
    kept = db.session.get(ApiToken, token.id) if token in db.session else None
    if kept is None:
        flash(problem.message, "danger")
        return redirect(url_for("management.tokens"), 303)
    return _question(form, kept, put(form, problem))


def _question(form: RotateForm, token: ApiToken, status: Status) -> ResponseReturnValue:
    now = wiring.now()
    ends_at = token_rotation.next_end(token, longest=wiring.services().longest_token, now=now)
    page = render_template("management/rotate_token.html", form=form, row=row_of(token, now=now), ends_at=ends_at)
    return page, *status
