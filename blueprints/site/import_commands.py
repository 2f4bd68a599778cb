"""The operator's commands that bring files along from elsewhere: `flask import-folder`."""

import sys
from pathlib import Path
from typing import BinaryIO

import click
import orjson
from flask.cli import with_appcontext

from blueprints import wiring
from blueprints.site import bp
from blueprints.site.commands import operator_permit, user_named
from domain.identity.standing import standing_of
from domain.index import imports
from domain.index.imports import Came, Outcome
from domain.policy.actions import Action
from domain.policy.decision import Permit
from models import Project, User, db

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("import-folder")
@click.argument("folder", type=FOLDER)
@click.option("--owner", required=True, metavar="USERNAME", help="Whose the files and new projects will be.")
@click.option("--dry-run", is_flag=True, help="Only say which files would be refused, and why.")
@click.option("--report", type=click.File("wb"), help="Write a line of JSON for each file here.")
@with_appcontext
def import_folder(folder: Path, owner: str, dry_run: bool, report: BinaryIO | None) -> None:
    """Publish the wheels and sdists in a folder and its folders, as those of pypiserver are.

    The rules are those for uploads. What is here already is passed over, so that an import can be interrupted and
    run again. Exits with 1 if a file was refused.
    """
    user, paths = user_named(owner), imports.files_in(folder)
    if not user.is_active:
        raise click.ClickException(f"The account {user.username} is frozen.")
    came = []
    with click.progressbar(paths, label="Importing", hidden=not sys.stderr.isatty(), file=sys.stderr) as shown:
        for path in shown:
            came.append(_try_out(path) if dry_run else _take_in(path, user))
            if report is not None:
                report.write(orjson.dumps(_line(came[-1], folder)) + b"\n")
    if not dry_run:
        permit = operator_permit(Action.IMPORT_FILES, user, user.username)
        imports.tell(db.session(), permit, wiring.services().notices, user, came, now=wiring.now())
        db.session.commit()
    _sum_up(came, folder, dry_run=dry_run)


def _take_in(path: Path, owner: User) -> Came:
    found, standing = wiring.services(), standing_of(db.session(), owner.id)

    def permit_for(project: Project | None) -> Permit:
        if project is None:
            return operator_permit(Action.CREATE_PROJECT, account=standing)
        return operator_permit(Action.UPLOAD_FILE, project, project.name, account=standing)

    came = imports.take_in(
        db.session(),
        permit_for,
        found.store,
        found.notices,
        path,
        owner,
        rules=found.upload_rules,
        policy=found.policy,
        now=wiring.now(),
    )
    db.session.commit()
    return came


def _try_out(path: Path) -> Came:
    found = wiring.services()
    return imports.try_out(found.store, path, rules=found.upload_rules)


def _line(came: Came, folder: Path) -> dict[str, str]:
    told = {"file": str(came.path.relative_to(folder)), "outcome": came.outcome.value}
    return told | ({"reason": came.reason} if came.reason else {})


def _sum_up(came: list[Came], folder: Path, *, dry_run: bool) -> None:
    refused = [each for each in came if each.outcome is Outcome.REFUSED]
    for each in refused:
        click.echo(f"refused  {each.path.relative_to(folder)}: {each.reason}")
    counts = {outcome: sum(each.outcome is outcome for each in came) for outcome in Outcome}
    added = "would be added" if dry_run else "added"
    click.echo(f"{counts[Outcome.ADDED]} {added}, {counts[Outcome.WAS_HERE]} were here, {len(refused)} refused.")
    if refused:
        sys.exit(1)


bp.cli.add_command(import_folder)
