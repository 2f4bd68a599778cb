"""Reports of tokens that were found in public, by a service that signs them."""

from typing import Any

import orjson
from flask import Response, abort, request
from flask.typing import ResponseReturnValue

from adapters.fetched_keys import NoKeys
from blueprints import wiring
from blueprints.api import bp
from blueprints.browser_session import origin_of
from blueprints.gate import public
from blueprints.machine_answers import machine_refusal
from domain.identity.token_leaks import Found, void_leaked
from models import db

KEY, SIGNATURE = "Github-Public-Key-Identifier", "Github-Public-Key-Signature"
MOST = 1_000  # findings of one report


@bp.post("/_/secrets/disclose-token")
@public
def disclose_token() -> ResponseReturnValue:
    """Take a report as GitHub's secret scanning partner programme sends it. The signature over the body is its proof.

    The answer is 204 whether or not a token was ours: nobody learns here which secrets work.
    """
    found, key, signature = wiring.services(), request.headers.get(KEY), request.headers.get(SIGNATURE)
    if found.leak_keys is None or not key or not signature:
        abort(404)
    db.session.rollback()  # no transaction is open while the body arrives and keys are fetched
    body = request.get_data()
    try:
        is_signed = found.leak_keys.signed(body, key=key, signature=signature, now=wiring.now())
    except NoKeys:
        return machine_refusal(503, "The signature cannot be checked at the moment. Send the report again later.")
    if not is_signed:
        return machine_refusal(400, "The signature does not fit the report.", code="bad_signature")
    leaks = _findings(body)
    if leaks is None:
        return machine_refusal(400, f"Send a JSON list of at most {MOST} findings.", code="bad_report")
    void_leaked(db.session(), found.notices, leaks, origin=origin_of(request), now=wiring.now())
    db.session.commit()
    return Response(status=204)


def _findings(body: bytes) -> list[Found] | None:
    """What the report lists; None if it is no list, or a longer one. A finding of another form is passed over."""
    try:
        listed: Any = orjson.loads(body)  # Any: whatever was sent
    except ValueError:
        return None
    if not isinstance(listed, list) or len(listed) > MOST:
        return None
    entries = [entry for entry in listed if isinstance(entry, dict) and isinstance(entry.get("token"), str)]
    return [Found(entry["token"], url if isinstance(url := entry.get("url"), str) else "") for entry in entries]
