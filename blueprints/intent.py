"""The interrupted action: kept while something else has to be done first, offered again once."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import current_app, request, session, url_for
from werkzeug.routing import BuildError

from blueprints import wiring
from blueprints.browser_session import row_session
from domain.identity import ceremonies
from domain.identity.ceremonies import Begun, Purpose
from domain.policy.decision import Denial
from domain.policy.principals import Member
from models import db

MARK = "kept"
MARK_BYTES = 9
MAX_VALUE = 2_000  # characters; a longer value is not kept at all: half of a name may be another name
MAX_VALUES = 30
MAX_QUERY = 3_400  # bytes of all values in an address; deploy/gunicorn.py refuses one that is longer than 4,094


@dataclass(frozen=True)
class Kept:
    """What pages say of an interrupted action: "Kept for you: create an API token “ci”".

    is_undone: somebody pressed the button already, and has to press it again.
    """

    label: str
    name: str
    until: datetime
    has_values: bool
    is_undone: bool


def keep(denial: Denial, *, resume: str | None, keeps: tuple[str, ...]) -> None:
    """Keep the refused action in the running transaction. The newest one wins; only a step on the way, one that needs
    no second factor itself, keeps what was kept before behind it.

    It is kept by the name of its page, never as an address, so nothing outside the site can be put into it; and with
    the fields named in `keeps` only, in their order for as long as there is room. A POST is never repeated: its form
    opens again, filled in.
    """
    principal = denial.principal
    if not isinstance(principal, Member):
        return
    payload = {
        "endpoint": resume or request.endpoint,
        "url_values": {key: str(value) for key, value in (request.view_args or {}).items()},
        "values": _that_fit([(name, value) for name in keeps for value in request.values.getlist(name)]),
        "label": denial.action.label,
        "name": denial.target.name if denial.target else "",
        "is_step": not denial.action.needs.second_factor,
        "is_undone": request.method == "POST",
        "behind": None if denial.action.needs.second_factor else _left_behind(),
    }
    _begin(payload, user_id=principal.account.user_id, session_id=principal.session_id)


def _that_fit(values: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The values that can be given back in one address, each of them whole."""
    kept: list[tuple[str, str]] = []
    room = MAX_QUERY
    for name, value in values:
        length = len(urlencode({name: value})) + 1 if len(value) <= MAX_VALUE else MAX_QUERY + 1
        if length <= room and len(kept) < MAX_VALUES:
            kept.append((name, value))
            room -= length
    return kept


def peek() -> Kept | None:
    """The kept action of this browser, for pages that show it."""
    begun = _current()
    if begun is None:
        return None
    payload = begun.payload
    return Kept(
        label=payload["label"],
        name=payload["name"],
        until=begun.expires_at,
        has_values=bool(payload["values"]),
        is_undone=payload.get("is_undone", False),  # kept by a former version
    )


def take() -> str | None:
    """Spend the kept action and return the address of its page, filled in; None if there is none, or no longer."""
    begun = _current()
    if begun is None or not ceremonies.spend(db.session(), begun, now=wiring.now()):
        return None
    row = row_session().row
    if begun.payload["behind"] and row is not None and row.user_id is not None:
        _begin(begun.payload["behind"], user_id=row.user_id, session_id=row.id)
    return _address(begun)


def is_resumed() -> bool:
    """Whether this page was opened by `take`, so that the values in its address are those that were typed here: a
    link from elsewhere could put others into the form, and no sentence of ours may vouch for them."""
    mark = session.get(MARK)
    return mark is not None and request.method == "GET" and request.args.get(MARK) == mark


def forget() -> None:
    """Drop the kept action of this browser."""
    begun = _current()
    if begun is not None:
        ceremonies.spend(db.session(), begun, now=wiring.now())


def _begin(payload: ceremonies.Payload, *, user_id: int, session_id: int) -> None:
    box, now = wiring.services().box, wiring.now()
    ceremonies.abandon(db.session(), Purpose.INTENT, user_id=user_id, session_id=session_id)
    ceremonies.begin(
        db.session(), box, Purpose.INTENT, now=now, payload=payload, user_id=user_id, session_id=session_id
    )


def _left_behind() -> ceremonies.Payload | None:
    """What a step on the way must not lose: the action that it leads to."""
    begun = _current()
    if begun is None:
        return None
    payload: ceremonies.Payload = begun.payload
    return payload["behind"] if payload["is_step"] else payload


def _current() -> Begun | None:
    row = row_session().row
    if row is None or row.user_id is None:
        return None
    return ceremonies.current(
        db.session(),
        wiring.services().box,
        Purpose.INTENT,
        user_id=row.user_id,
        session_id=row.id,
        now=wiring.now(),
    )


def _address(begun: Begun) -> str | None:
    endpoint, url_values = begun.payload["endpoint"], begun.payload["url_values"]
    query: dict[str, Any] = {}  # Any: lists of values; url_for's own options come by name
    for name, value in begun.payload["values"]:
        query.setdefault(name, []).append(value)
    if query:
        session[MARK] = secrets.token_urlsafe(MARK_BYTES)
        query[MARK] = [session[MARK]]
    try:
        takes = {name for rule in current_app.url_map.iter_rules(endpoint) for name in rule.arguments}
        its_own = {name: value for name, value in url_values.items() if name in takes}  # a list takes no row's number
        return url_for(endpoint, _method="GET", **its_own, **query)
    except (BuildError, KeyError):  # the page has gone or takes other values since a new version was installed
        return None
