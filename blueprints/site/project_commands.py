"""The operator's commands for projects: `flask projects limit`."""

import click
from flask.cli import with_appcontext

from blueprints import wiring
from blueprints.site import bp
from blueprints.site.commands import operator_permit
from domain.index import project_limits, projects
from domain.policy.actions import Action
from models import db

MOST_MB, MOST_GB = 100_000, 1_000_000  # as the settings have it


@bp.cli.group("projects")
def project_group() -> None:
    """Projects: what one of them may hold."""


@project_group.command("limit")
@click.argument("name")
@click.option("--max-file-mb", type=click.IntRange(1, MOST_MB), help="The largest file, in MB.")
@click.option("--max-project-gb", type=click.IntRange(1, MOST_GB), help="All files together, in GB.")
@with_appcontext
def limit(name: str, max_file_mb: int | None, max_project_gb: int | None) -> None:
    """Give a project limits of its own; what is left out is as for all others. Its owners are told by mail."""
    project = projects.find(db.session(), name)
    if project is None:
        raise click.ClickException(f"There is no project {name!r} on this index.")
    found = wiring.services()
    limits = project_limits.set_limits(
        db.session(),
        operator_permit(Action.LIMIT_PROJECT, project, project.name),
        found.notices,
        project,
        file_bytes=max_file_mb * 10**6 if max_file_mb else None,
        total_bytes=max_project_gb * 10**9 if max_project_gb else None,
        rules=found.upload_rules,
        now=wiring.now(),
    )
    db.session.commit()
    file, total = f"{limits.file_bytes / 10**6:g} MB", f"{limits.total_bytes / 10**9:g} GB"
    click.echo(f"{project.name} takes files of up to {file}, and {total} in all.")
