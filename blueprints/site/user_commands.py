"""The operator's commands for an account in the wrong hands: `flask users sign-out`, `freeze` and `unfreeze`."""

import click
from flask.cli import with_appcontext

from blueprints import wiring
from blueprints.site.commands import operator_permit, user_named, users
from domain.identity import interventions
from domain.policy.actions import Action
from domain.problems import Problem
from models import db


@users.command("sign-out")
@click.argument("username", required=False)
@click.option("--everybody", is_flag=True, help="All accounts instead of one.")
@with_appcontext
def sign_out(username: str | None, everybody: bool) -> None:
    """End the sessions of an account, and forget which browsers it knows and trusts.

    Its API tokens go on working. No mail tells of it.
    """
    if bool(username) == everybody:
        raise click.UsageError("Name one account, or say --everybody.")
    now = wiring.now()
    if username:
        user = user_named(username)
        permit = operator_permit(Action.END_SESSIONS, user, user.username)
        interventions.end_sessions(db.session(), permit, user, now=now)
        who = f"{user.username} is"
    else:
        count = interventions.end_everybodys_sessions(db.session(), operator_permit(Action.END_SESSIONS), now=now)
        who = f"All {count:,} accounts are" if count != 1 else "The only account is"
    db.session.commit()
    click.echo(f"{who} signed out everywhere, and no browser is trusted any more. Tokens go on working.")


@users.command("freeze")
@click.argument("username")
@with_appcontext
def freeze(username: str) -> None:
    """Let an account do nothing any more, by browser or by token. No mail tells of it."""
    user = user_named(username)
    permit = operator_permit(Action.FREEZE_ACCOUNT, user, user.username)
    try:
        interventions.freeze(db.session(), permit, user, now=wiring.now())
    except Problem as problem:
        raise click.ClickException(problem.message) from None
    db.session.commit()
    click.echo(
        f"{user.username} is frozen: signed out everywhere, and its tokens are refused. What it published stays. "
        f"No mail tells of it; `flask users unfreeze {user.username}` ends it."
    )


@users.command("unfreeze")
@click.argument("username")
@with_appcontext
def unfreeze(username: str) -> None:
    """Let a frozen account do again what it could."""
    user = user_named(username)
    permit = operator_permit(Action.UNFREEZE_ACCOUNT, user, user.username)
    try:
        interventions.unfreeze(db.session(), permit, user, now=wiring.now())
    except Problem as problem:
        raise click.ClickException(problem.message) from None
    db.session.commit()
    click.echo(f"{user.username} may sign in again, and its tokens work again.")
