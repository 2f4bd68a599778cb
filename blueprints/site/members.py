"""`/_reading/`: asked by a proxy before it sends a page of the static tree that is for members."""

from flask import Response

from blueprints import reading, wiring
from blueprints.caller import Channel
from blueprints.gate import public
from blueprints.site import bp
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.judge import judge
from domain.policy.principals import TokenHolder


@bp.get("/_reading/")
@public
def may_read() -> Response:
    """Say whether whoever asks may read what is there for every member: 204, or 401.

    It tells nobody more than `/simple/` does, asks for no address, and so believes none. It leaves no event and gives
    no reason: after a 401 the proxy hands the request on, and the refusal itself does.
    """
    principal, now = reading.who_asks(Channel.MACHINE), wiring.now()
    decision = judge(principal, Action.READ_INDEX, None, wiring.services().policy, now)
    if isinstance(decision, Permit) and isinstance(principal, TokenHolder):
        reading.remember_use(principal, now)
    response = Response(status=204 if isinstance(decision, Permit) else 401)
    response.headers["Cache-Control"] = "no-store"
    return response
