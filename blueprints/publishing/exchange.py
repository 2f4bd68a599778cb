"""`/_/oidc/…`: what uv and pdm ask for before they upload from a CI job, with no secret of their own."""

import secrets
from functools import partial
from typing import Any

import orjson
import structlog
from flask import Response, request
from flask.typing import ResponseReturnValue

from adapters.fetched_keys import NoKeys
from adapters.identity_tokens import BadToken, Claims, issuer_named
from blueprints import wiring
from blueprints.browser_session import origin_of
from blueprints.gate import public
from blueprints.publishing import bp
from domain.identity import throttle
from domain.identity.standing import standing_of
from domain.identity.token_texts import looks_like_token, new_token, token_hash
from domain.index import trusted_publishing
from domain.index.trusted_publishing import ISSUER, SIGNATURE, TOKEN, KnownIssuer, Refused, Trace
from models import db

MAX_BODY = 64 * 1024

log = structlog.get_logger("countersign")


class BadPayload(Exception):
    """The body is not `{"token": "…"}`. The text says so."""


@bp.get("/_/oidc/audience")
@public
def audience() -> ResponseReturnValue:
    """Say whom the identity token has to be made for: this index, by its host name, so that what was meant for another
    one counts for nothing here."""
    return _json(200, {"audience": wiring.services().site.audience})


@bp.post("/_/oidc/mint-token")
@public
def mint_token() -> ResponseReturnValue:
    """Give a CI job a token for its identity token, which is its proof.

    No transaction is open while keys are fetched.
    """
    found, origin, now = wiring.services(), origin_of(request), wiring.now()
    trace = Trace()
    throttle.take(db.session(), (throttle.MINT_FROM_ADDRESS, origin.address), now=now)
    try:
        text = _token()
        issuer, claims = _signed(text, trace)
        job, until = trusted_publishing.job_of(issuer, claims, trace, audience=found.site.audience, now=now)
        token = new_token(secrets.token_bytes)
        minted = trusted_publishing.exchange(
            db.session(),
            found.notices,
            found.policy,
            partial(standing_of, db.session()),
            trace,
            job,
            signed=text.rpartition(".")[0].encode(),
            until=until,
            token_hash=token_hash(token),
            origin=origin,
            now=now,
        )
    except (BadPayload, Refused) as fault:
        refusal = fault if isinstance(fault, Refused) else trace.refused(TOKEN, str(fault), code="invalid-payload")
        trusted_publishing.refuse(db.session(), refusal, origin=origin, now=now)
        return _refused(refusal.message, refusal.code)
    throttle.refund(db.session(), throttle.MINT_FROM_ADDRESS, origin.address)
    db.session.commit()
    return _json(200, {"success": True, "token": token, "expires": int(minted.expires_at.timestamp())})


@bp.post("/_/oidc/burn-token")
@public
def burn_token() -> ResponseReturnValue:
    """Have a minted token work no more; a job does so when it has uploaded. One that is gone already is fine, too."""
    try:
        text = _token()
    except BadPayload as fault:
        return _refused(str(fault), "invalid-payload")
    if looks_like_token(text):
        trusted_publishing.burn(db.session(), token_hash(text), origin=origin_of(request), now=wiring.now())
        db.session.commit()
    return _json(200, {"success": True})


@bp.errorhandler(throttle.TooMany)
def wait(problem: throttle.TooMany) -> ResponseReturnValue:
    """Too many tries that came to nothing."""
    return _refused(problem.message, "too-many-requests", status=429)


def _token() -> str:
    """The token of the body. Raises BadPayload."""
    if (request.content_length or 0) > MAX_BODY:
        raise BadPayload("The body is too long.")
    db.session.rollback()  # no transaction is open while the body arrives
    try:
        body: Any = orjson.loads(request.get_data())  # Any: whatever was sent
    except ValueError:
        raise BadPayload("The body is not JSON.") from None
    text = body.get("token") if isinstance(body, dict) else None
    if not isinstance(text, str):
        raise BadPayload('Send a JSON object with a text, "token".')
    return text


def _signed(text: str, trace: Trace) -> tuple[KnownIssuer, Claims]:
    """Who signed the token, and what it says. Raises Refused."""
    try:
        named = issuer_named(text)
    except BadToken as fault:
        raise trace.refused(TOKEN, str(fault), code="invalid-payload") from fault
    trace.passed(TOKEN)
    issuer = trusted_publishing.known_issuer(db.session(), named)
    db.session.rollback()
    if issuer is None:
        raise trace.refused(ISSUER, f"This index does not trust the issuer {named[:255]}.", code="invalid-payload")
    trace.passed(ISSUER, issuer=issuer.url)
    try:
        claims = wiring.services().identity_tokens.signed_claims(
            text, issuer=issuer.url, allows_private=issuer.allows_private, now=wiring.now()
        )
    except BadToken as fault:
        raise trace.refused(SIGNATURE, str(fault), code="invalid-token") from fault
    except NoKeys as fault:
        why = f"The keys of {issuer.url} cannot be had at the moment: {fault}. Try again later."
        raise trace.refused(SIGNATURE, why, code="invalid-token") from fault
    trace.passed(SIGNATURE, issuer=issuer.url)
    return issuer, claims


def _refused(why: str, code: str, *, status: int = 422) -> Response:
    """A refusal in the form of PyPI's: uv prints all of it."""
    log.info("identity_refused", code=code, reason=why)
    return _json(status, {"message": "Token request failed", "errors": [{"code": code, "description": why}]})


def _json(status: int, body: dict[str, object]) -> Response:
    response = Response(orjson.dumps(body), status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
