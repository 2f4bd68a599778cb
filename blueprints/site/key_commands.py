"""The operator's command for the keys that seal secrets: `flask keys`."""

import click
from flask.cli import with_appcontext

from blueprints import wiring
from blueprints.site import bp
from blueprints.site.commands import operator_permit
from domain.policy.actions import Action
from domain.resealing import Tally, rotate_keys
from models import db

MOST_NAMED = 20  # of what does not open in one place; the rest is counted


@click.group()
def keys() -> None:
    """The keys that seal secrets at rest."""


@keys.command("rotate")
@with_appcontext
def rotate() -> None:
    """Seal everything anew under the first key of the ring.

    Put the new key in front of the older ones and restart every server process first. May be interrupted, and run
    while the server works. Says when the older keys may go; exits with 1 if something could not be opened.
    """
    found = wiring.services()
    tallies = rotate_keys(db.session(), operator_permit(Action.ROTATE_KEYS), found.box, now=wiring.now())
    db.session.commit()
    for tally in tallies:
        click.echo(f"{tally.name:<26} {tally.resealed:>7} sealed anew {tally.current:>7} were already")
    unopened = sum(len(tally.unopened) for tally in tallies)
    if unopened:
        for tally in tallies:
            _name_unopened(tally)
        raise click.ClickException(
            f"{unopened} could not be opened and were left as they are. Keep the older keys. Where a key is missing, "
            "put it at the end of the ring and run this again."
        )
    click.echo(
        f"Everything is sealed under key {found.box.key_id}. Older keys may be taken out of the ring; keep them with "
        "the backups of their time."
    )


def _name_unopened(tally: Tally) -> None:
    for one in tally.unopened[:MOST_NAMED]:
        click.echo(f"{tally.name}, id {one.row_id}, key {one.key_id or 'unknown'}: {one.why}")
    if len(tally.unopened) > MOST_NAMED:
        click.echo(f"{tally.name}: {len(tally.unopened) - MOST_NAMED:,} more")


bp.cli.add_command(keys)
