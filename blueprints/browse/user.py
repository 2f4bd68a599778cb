"""What everybody may see of a person: the name, and what they look after."""

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from blueprints import reading
from blueprints.browse import bp
from blueprints.gate import for_readers
from domain.index import projects
from domain.index.search import listed
from models import User, db
from models.user import username_key


@bp.get("/user/<username>/")
@for_readers()
def user(username: str) -> ResponseReturnValue:
    """Show a person's projects. Never a second factor, nor an address that they did not make public."""
    is_name = username.isascii() and username.isprintable()  # PostgreSQL takes no NUL, not even to look for
    named = select(User).where(User.username_key == username_key(username))
    found = db.session.scalar(named) if is_name else None
    if found is None:
        abort(404)
    if username != found.username:
        return redirect(url_for("browse.user", username=found.username), 301)
    parts = projects.of_user(db.session(), found.id, among=reading.visible())
    lines = listed(db.session(), [part.project for part in parts])
    return render_template("browse/user.html", person=found, projects=lines)
