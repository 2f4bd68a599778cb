"""The operator's commands: `flask users`, `flask mail`, `flask policy`, `flask worker`."""

import signal
import threading
from collections.abc import Callable
from datetime import datetime

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select

from blueprints import wiring
from blueprints.site import bp
from domain.identity import accounts, factors
from domain.identity.standing import standing_of
from domain.policy.actions import Action
from domain.policy.advice import way_through, what_would_help
from domain.policy.decision import Permit
from domain.policy.judge import judge
from domain.policy.principals import Member, Operator, Origin, Standing
from domain.policy.targets import Subject, Target
from domain.problems import Problem
from models import Mail, User, db
from models.user import username_key


def operator_permit(
    action: Action, subject: Subject | None = None, name: str = "", *, account: Standing | None = None
) -> Permit:
    """The operator's permit: through the judge like everybody's, so that the trace and the journal know of it.

    account: in whose place the operator acts.
    """
    target = Target(subject, name) if subject is not None else None
    decision = judge(Operator(account=account), action, target, wiring.services().policy, wiring.now())
    if not isinstance(decision, Permit):
        raise click.ClickException("The operator's shell may not do this.")
    return decision


def user_named(username: str) -> User:
    """The account, or the end of the command."""
    user = db.session.scalar(select(User).where(User.username_key == username_key(username)))
    if user is None:
        raise click.ClickException(f"There is no account {username!r}. `flask users list` shows them.")
    return user


@click.group()
def users() -> None:
    """Accounts: list, make an administrator, help after a lost phone."""


@users.command("list")
@with_appcontext
def list_users() -> None:
    """List accounts with the state that the gate sees."""
    for user in db.session.scalars(select(User).order_by(User.username_key)):
        standing = standing_of(db.session(), user.id)
        assert standing is not None  # noqa: S101 - the row was read just now
        marks = [
            "verified" if standing.has_verified_email else "unverified",
            ", ".join(sorted(factor.value for factor in standing.factors)) or "no second factor",
            *(["administrator"] if user.is_admin else []),
            *(["frozen"] if not user.is_active else []),
        ]
        address = user.primary_email.address if user.primary_email else "-"
        click.echo(f"{user.username:<24} {address:<36} {' · '.join(marks)}")


@users.command("create-admin")
@click.option("--username", prompt="Username")
@click.option("--email", prompt="Email address")
@with_appcontext
def create_admin(username: str, email: str) -> None:
    """Make an administrator's account and print the one-time link that sets its password.

    The address counts as verified: whoever has this shell could verify it anyway. The second factor is asked for by
    the gate, as of everybody.
    """
    found = wiring.services()
    permit = operator_permit(Action.CREATE_ADMINISTRATOR)
    try:
        handle = accounts.create_administrator(
            db.session(), permit, found.box, username=username.strip(), address=email, now=wiring.now()
        )
    except Problem as problem:
        raise click.ClickException(problem.message) from None
    db.session.commit()
    click.echo("Open this link once, within 24 hours, to set the password:")
    click.echo(f"{found.site.public_url}/account/reset-password/?token={handle}")


@users.command("recover")
@click.argument("username")
@click.confirmation_option(prompt="This removes all second factors and ends all sessions of the account. Go on?")
@with_appcontext
def recover(username: str) -> None:
    """Remove a lost second factor: all of them, with the recovery codes. The person is told by mail."""
    user = user_named(username)
    permit = operator_permit(Action.RESET_FACTORS, user, user.username)
    factors.reset_factors(db.session(), permit, wiring.services().notices, user, now=wiring.now())
    db.session.commit()
    click.echo(f"{user.username} has no second factor any more, and is asked for one before the next change.")


@click.group()
def mail() -> None:
    """The outbox."""


@mail.command("list")
@click.option("--most", default=30, show_default=True, help="How many, newest first.")
@with_appcontext
def list_mail(most: int) -> None:
    """List mails, newest first."""
    for row in db.session.scalars(select(Mail).order_by(Mail.id.desc()).limit(most)):
        state = "sent" if row.sent_at else "waiting" if row.due_at else "given up"
        click.echo(f"{row.id:>6}  {row.created_at:%Y-%m-%d %H:%M}  {state:<8}  {row.to:<32} {row.subject}")


@mail.command("show")
@click.argument("mail_id", type=int)
@with_appcontext
def show_mail(mail_id: int) -> None:
    """Show one mail whole, as text."""
    row = db.session.get(Mail, mail_id)
    if row is None:
        raise click.ClickException("There is no such mail. `flask mail list` shows them.")
    letter = wiring.services().notices.read(row)
    click.echo(
        f"To: {letter.to}\nSubject: {letter.subject}\nDate: {letter.created_at:%Y-%m-%d %H:%M UTC}\n\n{letter.text}"
    )
    if letter.last_error:
        click.echo(f"\n[Last failure after {letter.attempts} attempts: {letter.last_error}]")


@mail.command("send")
@with_appcontext
def send_mail() -> None:
    """Deliver what is due, now."""
    found = wiring.services()
    click.echo(f"{found.notices.deliver_due(db.session(), found.mailer, now=wiring.now())} delivered.")


@click.group()
def policy() -> None:
    """The enforcement rules."""


@policy.command("show")
@with_appcontext
def show_policy() -> None:
    """Show the rules."""
    for rule in wiring.services().policy.rules:
        state = "in force" if rule.is_in_force(wiring.now()) else "not yet"
        click.echo(f"{rule.id:<28} {state:<10} {rule.sentence}")


@policy.command("explain")
@click.argument("username")
@click.argument("action", type=click.Choice([action.name.lower().replace("_", "-") for action in Action]))
@click.option("--at", type=click.DateTime(["%Y-%m-%d"]), help="Judge as of this day (UTC) instead of now.")
@with_appcontext
def explain(username: str, action: str, at: datetime | None) -> None:
    """Show how the judge would decide on somebody in a browser, step by step."""
    user, now = user_named(username), at.replace(tzinfo=wiring.now().tzinfo) if at else wiring.now()
    standing = standing_of(db.session(), user.id)
    assert standing is not None  # noqa: S101 - the row was read just now
    principal = Member(Origin("shell", "flask policy explain"), standing, session_id=0, confirmed_at=now)
    asked = (principal, Action[action.upper().replace("-", "_")], None, wiring.services().policy, now)
    decision = judge(*asked)
    for step in decision.steps:
        inputs = "; ".join(f"{name}: {value}" for name, value in step.inputs)
        click.echo(f"{'■' if step.stops else ' '} {step.question:<72} {step.answer:<12} {inputs}")
    if isinstance(decision, Permit):
        click.echo("Allowed.")
        return
    click.echo(f"Refused: {decision.reason.value}.")
    for words in what_would_help(*asked) or way_through(*asked):
        click.echo(f"  would help: {words}")


@click.command("worker")
@with_appcontext
def worker() -> None:
    """Deliver mail and sweep up until stopped, as every server process does beside its requests."""
    start_scheduler: Callable[..., object] = current_app.extensions["countersign_scheduler"]
    start_scheduler()
    click.echo("Delivering mail. Ctrl+C stops.")
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    try:
        stopped.wait()
    except KeyboardInterrupt:
        click.echo("Stopped.")


for command in (users, mail, policy, worker):
    bp.cli.add_command(command)
