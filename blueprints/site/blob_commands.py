"""The operator's commands about the files that are kept: `flask verify`, `flask sweep`."""

import sys

import click
from flask.cli import with_appcontext

from adapters.storage import StoreFault
from blueprints import wiring
from blueprints.rendering import file_size
from blueprints.site import bp
from blueprints.site.commands import operator_permit
from domain.index import blobs, static_pages
from domain.policy.actions import Action
from models import db


@click.command("verify")
@click.option("--quick", is_flag=True, help="Ask for sizes only; do not read every byte.")
@with_appcontext
def verify(quick: bool) -> None:
    """Hold every file against its bytes, and every simple page against its files, in the static tree too. Changes
    nothing.

    Exits with 1 if something is missing or altered. May be run while the server works; what is uploaded or deleted
    meanwhile can look wrong, and is right when asked again.
    """
    found = blobs.verify(db.session(), wiring.services().store, quick=quick)
    found.faults += _lies_in_the_tree()
    for fault in found.faults:
        click.echo(fault)
    files = "1 file" if found.files == 1 else f"{found.files:,} files"
    click.echo(f"{files} looked at, {len(found.faults)} faults.")
    if found.orphans:
        click.echo(
            f"{found.orphans:,} blobs ({file_size(found.orphan_bytes)}) belong to nothing; `flask sweep` removes them."
        )
    if found.faults:
        sys.exit(1)


def _lies_in_the_tree() -> list[str]:
    """What is missing there is no fault: the application answers instead."""
    tree = wiring.services().static_tree
    wrong = static_pages.compare(db.session(), tree)[0] if tree is not None else []
    words = "in the static tree does not say what is there; `flask pages write` mends it."
    return [f"{name}: its page {words}" if name else f"The list of all projects {words}" for name in wrong]


@click.command("sweep")
@with_appcontext
def sweep() -> None:
    """Remove bytes that belong to nothing: of what was deleted for good, and of uploads that came to nothing.

    What is younger than an hour is left alone. The server may run meanwhile.
    """
    found = wiring.services()
    permit = operator_permit(Action.SWEEP_BLOBS)
    try:
        count, size = blobs.sweep(db.session(), permit, found.store, now=wiring.now())
    except StoreFault as fault:
        raise click.ClickException(f"The place of the files does not do what it is asked for: {fault}") from fault
    click.echo(f"{count:,} blobs ({file_size(size)}) removed.")


for command in (verify, sweep):
    bp.cli.add_command(command)
