"""The operator's command about the static tree: `flask pages write`."""

import click
from flask.cli import with_appcontext

from blueprints import wiring
from blueprints.site import bp
from domain.index import static_pages
from models import db


@click.group()
def pages() -> None:
    """The simple pages as files, which a web server sends by itself."""


@pages.command("write")
@with_appcontext
def write() -> None:
    """Write what is missing in the static tree or not as it should be, and remove what does not belong there.

    The server does the same when it starts and every ten minutes; it may run meanwhile.
    """
    tree = wiring.services().static_tree
    if tree is None:
        raise click.ClickException("There is no static tree. COUNTERSIGN_STATIC_DIR says where one is to be.")
    db.session.info["reading"] = True
    count = static_pages.mend(db.session(), tree)
    click.echo(f"{count:,} pages written or removed.")


bp.cli.add_command(pages)
