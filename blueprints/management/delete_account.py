"""The end of one's account."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from blueprints import wiring
from blueprints.browser_session import leave
from blueprints.form_problems import Status, put
from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.account_forms import DeleteAccountForm
from domain.identity.account_deletion import delete_account as end_account
from domain.identity.account_deletion import is_last_administrator
from domain.index.ownership import owned_alone, owned_alone_for_good
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import (
    ApiToken,
    BrowserSession,
    Invitation,
    OrganizationMember,
    PendingPublisher,
    ProjectRole,
    db,
)

# What goes with the account: in the singular and in the plural.
GOES = (
    (ApiToken, ApiToken.user_id, "API token", "API tokens"),
    (BrowserSession, BrowserSession.user_id, "session", "sessions"),
    (ProjectRole, ProjectRole.user_id, "role in a project", "roles in projects"),
    (OrganizationMember, OrganizationMember.user_id, "organization that you leave", "organizations that you leave"),
    (Invitation, Invitation.invited_by_id, "invitation that you sent", "invitations that you sent"),
    (PendingPublisher, PendingPublisher.user_id, "pending publisher", "pending publishers"),
)


@bp.route("/manage/account/delete/", methods=["GET", "POST"])
@management_action(Action.DELETE_ACCOUNT)
def delete_account(permit: Permit) -> ResponseReturnValue:
    """Ask whether the account is to go, and delete it."""
    form = DeleteAccountForm()
    if not form.is_submitted():
        return _page(permit, form, (200, {}))
    if not form.validate():
        return _page(permit, form, (422, {}))
    try:
        end_account(
            db.session(),
            permit,
            wiring.services().notices,
            confirmation=form.confirm.data,
            owned_alone=owned_alone_for_good,
            now=wiring.now(),
        )
    except Problem as problem:
        db.session.rollback()
        return _page(permit, form, put(form, problem))
    leave()
    db.session.commit()
    flash("Your account is deleted. Goodbye.", "success")
    answer = redirect(url_for("browse.home"), 303)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _page(permit: Permit, form: DeleteAccountForm, status: Status) -> ResponseReturnValue:
    user_id = permit.account.user_id
    counted = [(_count(table, column, user_id), one, many) for table, column, one, many in GOES]
    page = render_template(
        "management/delete_account.html",
        form=form,
        username=permit.account.username,
        alone=owned_alone(db.session(), user_id),
        is_last_administrator=is_last_administrator(db.session(), user_id),
        goes=[f"{count} {one if count == 1 else many}" for count, one, many in counted if count],
    )
    return page, *status


def _count(table: type, column: object, user_id: int) -> int:
    counted = select(func.count()).select_from(table).where(column == user_id)  # type: ignore[arg-type]
    return db.session.scalar(counted) or 0
