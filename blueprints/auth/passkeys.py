"""Signing in with a passkey or security key, alone or as the second step. Browsers speak JSON here: a script has to ask
the key, and sends its answer as a field of an ordinary form."""

from flask import jsonify, request, session, url_for
from flask.typing import ResponseReturnValue

from blueprints import wiring
from blueprints.auth import bp
from blueprints.auth.arrival import arrive
from blueprints.auth.half import KEY_GIVEN, PASSWORD_GIVEN, half_signed_in
from blueprints.browser_session import origin_of, rise, row_session
from blueprints.gate import public
from blueprints.machine_answers import machine_refusal, problem_refusal
from blueprints.redirects import safe_next
from domain.identity import factors, passkey_proofs
from domain.identity.ceremonies import Purpose
from domain.identity.passkey_proofs import Proof
from domain.identity.sessions import Level
from domain.identity.sign_ins import Method
from domain.problems import Problem
from models import User, db

SECOND_STEP = "second-step"  # the value of the field `step`; anything else is a sign-in from the beginning


@bp.post("/account/webauthn-authenticate/options")
@public
def passkey_options() -> ResponseReturnValue:
    """What the browser is to ask its authenticators for."""
    found, now = wiring.services(), wiring.now()
    is_second, user = _who()
    if is_second and user is None:
        return _not_here()
    keys = factors.working_keys_of(db.session(), user.id) if user else []
    if is_second and not keys:
        return machine_refusal(422, "This account has no passkey or security key that could answer.", code="no_key")
    options = passkey_proofs.ask(
        db.session(),
        found.box,
        found.party,
        Purpose.PASSKEY_SECOND_STEP if is_second else Purpose.PASSKEY_SIGN_IN,
        keys=keys,
        user_id=user.id if user else None,
        session_id=row_session().begun(origin=origin_of(request), now=now).id,
        now=now,
    )
    db.session.commit()
    return jsonify(options)


@bp.post("/account/webauthn-authenticate/validate")
@public
def passkey_validate() -> ResponseReturnValue:
    """Take the answer of a key, and say where to go on."""
    found, now = wiring.services(), wiring.now()
    is_second, user = _who()
    if is_second and user is None:
        return _not_here()
    try:
        proof = passkey_proofs.prove(
            db.session(),
            found.box,
            found.notices,
            found.party,
            Purpose.PASSKEY_SECOND_STEP if is_second else Purpose.PASSKEY_SIGN_IN,
            request.form.get("credential", ""),
            user_id=user.id if user else None,
            session_id=row_session().begun(origin=origin_of(request), now=now).id,
            origin=origin_of(request),
            now=now,
        )
        return jsonify(redirect_to=_arrived(proof, after_password=is_second))
    except Problem as problem:
        db.session.rollback()
        return problem_refusal(problem)


def _who() -> tuple[bool, User | None]:
    """Whether this is the second step, and whose; at the beginning of a sign-in it is nobody's."""
    is_second = request.form.get("step") == SECOND_STEP
    return is_second, half_signed_in(PASSWORD_GIVEN) if is_second else None


def _arrived(proof: Proof, *, after_password: bool) -> str:
    """Sign in, where the key stands for both factors or the password was given; else ask for that."""
    user, kind = db.session.get_one(User, proof.key.user_id), proof.key.kind
    asked_for = session.get("next") if after_password else request.form.get("next")
    destination = safe_next(asked_for, otherwise=url_for("management.projects"))
    if after_password or proof.verified_user:
        method = Method.PASSKEY if kind == Method.PASSKEY.words else Method.SECURITY_KEY
        is_trusted = after_password and "remember_browser" in request.form and not user.is_admin
        return arrive(user, method=method, destination=destination, trust=is_trusted)
    rise(user_id=user.id, to=Level.HALF, method=KEY_GIVEN)
    session["next"] = destination
    db.session.commit()
    return url_for("auth.password_step")


def _not_here() -> ResponseReturnValue:
    return machine_refusal(403, "Give your username and password first.", code="not_signed_in")
