"""Search by name and summary."""

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from blueprints.browse import bp
from blueprints.gate import public
from domain.index.search import MAX_QUERY, Order, Results
from domain.index.search import search as find_projects
from domain.problems import Problem
from models import db

ORDERS = {order.value: order for order in Order}
NOTHING = Results([], total=0, pages=1)


@bp.get("/search/")
@public
def search() -> ResponseReturnValue:
    """List what was found, twenty a page; everything if nothing was asked for."""
    query, order, page = request.args.get("q", "").strip(), request.args.get("o", ""), request.args.get("page", "1")
    if order not in ORDERS or not (page.isascii() and page.isdigit() and len(page) < 6):
        abort(404)
    problem = None
    try:
        results = find_projects(db.session(), query, order=ORDERS[order], page=int(page))
    except Problem as refusal:
        results, problem = NOTHING, refusal.message
    if results is None:
        abort(404)
    answer = render_template(
        "browse/search.html",
        query=query[:MAX_QUERY],
        order=order,
        page=int(page),
        results=results,
        problem=problem,
    )
    return answer, 422 if problem else 200
