"""What everybody may see of an organization: what it says of itself, and its projects."""

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import reading
from blueprints.browse import bp
from blueprints.gate import for_readers
from domain.index import organizations
from domain.index.search import listed
from models import db


@bp.get("/org/<organization>/")
@for_readers()
def organization(organization: str) -> ResponseReturnValue:
    """Show an organization's projects. Who belongs to it is for its people to know."""
    found = organizations.find(db.session(), organization) or abort(404)
    if organization != found.name:
        return redirect(url_for("browse.organization", organization=found.name), 301)
    after = request.args.get("after", "")
    leaf = organizations.projects_of(db.session(), found, among=reading.visible(), after=after)
    lines = listed(db.session(), leaf.projects)
    return render_template("browse/organization.html", organization=found, projects=lines, next=leaf.next)
