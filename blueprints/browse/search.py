"""Search in names and in what projects say of themselves."""

import re

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import reading
from blueprints.browse import bp
from blueprints.gate import for_readers
from domain.index.full_text import Order
from domain.index.search import MAX_QUERY, Results, clean_query
from domain.index.search import search as find_projects
from domain.policy.targets import ProjectStatus
from domain.problems import Problem
from models import db

ORDERS = {order.value: order for order in Order}
STATUSES = (None, *(status.value for status in ProjectStatus))
PYTHON = re.compile(r"[0-9]{1,2}\.[0-9]{1,3}")
NOTHING = Results([], total=0, pages=1)


@bp.get("/search/")
@for_readers()
def search() -> ResponseReturnValue:
    """List what was found, twenty a page; everything if nothing was asked for."""
    query, asked = clean_query(request.args.get("q", "")), request.args
    order, page, status, python = asked.get("o", ""), asked.get("page", "1"), asked.get("status"), asked.get("python")
    if order not in ORDERS or not (page.isascii() and page.isdigit() and len(page) < 6):
        abort(404)
    if status not in STATUSES or (python is not None and not PYTHON.fullmatch(python)):
        abort(404)
    problem = None
    try:
        results = find_projects(
            db.session(),
            query,
            among=reading.visible(),
            order=ORDERS[order],
            page=int(page),
            status=status,
            python=python,
        )
    except Problem as refusal:
        results, problem = NOTHING, refusal.message
    if results is None:
        abort(404)
    answer = render_template(
        "browse/search.html",
        query=query[:MAX_QUERY],
        order=order,
        orders=_orders(query, ORDERS[order], status, python),
        status=status,
        python=python,
        page=int(page),
        results=results,
        problem=problem,
    )
    return answer, 422 if problem else 200


def _orders(query: str, current: Order, status: str | None, python: str | None) -> list[tuple[str, str, bool, None]]:
    """The tabs; nothing that was not asked for matches best, so without a query that order is the one by name."""
    orders = [("By name", Order.RELEVANCE), ("Last updated", Order.UPDATED)]
    if query:
        orders = [("Best match", Order.RELEVANCE), ("By name", Order.NAME), ("Last updated", Order.UPDATED)]
    return [
        (
            words,
            url_for("browse.search", q=query or None, o=order.value or None, status=status, python=python),
            order is current,
            None,
        )
        for words, order in orders
    ]
