"""The front page: search, what is new, and how a tool is pointed here."""

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from blueprints import reading, wiring
from blueprints.browse import bp
from blueprints.gate import for_readers
from domain.index.search import recently_updated
from models import Release, db

MOST_RECENT = 6


@bp.get("/")
@for_readers()
def home() -> ResponseReturnValue:
    """Show what is here; on an empty index, how the first package comes in."""
    visible = reading.visible()
    return render_template(
        "browse/home.html",
        recent=recently_updated(db.session(), among=visible, most=MOST_RECENT),
        release_count=db.session.scalar(select(func.count(Release.id)).join(Release.project).where(visible)),
        can_register=wiring.services().registration == "open",
    )
