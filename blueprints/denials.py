"""How a refusal is said: a red banner and the way on for people, a status line and a body for programs."""

from dataclasses import dataclass

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints import intent, wiring
from blueprints.browser_session import leave
from blueprints.caller import Channel
from blueprints.machine_answers import machine_refusal, wants_json
from domain import journal
from domain.policy.actions import Action
from domain.policy.advice import way_through, what_would_help
from domain.policy.decision import Denial, Reason
from domain.policy.principals import Anonymous, Member, Publisher, TokenHolder
from domain.policy.rules import Policy
from domain.policy.targets import Target
from models import Organization, Project, db


@dataclass(frozen=True)
class Remedy:
    """Where a person goes to mend it, and how the banner says so. `endpoint` None: there is no such page, and `advice`
    says who else could help."""

    endpoint: str | None
    title: str
    advice: str = ""


REMEDIES = {
    Reason.NOT_SIGNED_IN: Remedy("auth.sign_in", "Sign in to continue"),
    Reason.EMAIL_UNVERIFIED: Remedy("management.unverified", "Verify your email address to continue"),
    Reason.ADDRESS_PROOF_REQUIRED: Remedy("management.unverified", "Prove your email address again to continue"),
    Reason.TWO_FACTOR_REQUIRED: Remedy("mfa.choose", "Turn on two-factor authentication to continue"),
    Reason.CONFIRMATION_REQUIRED: Remedy("auth.reauthenticate", "Confirm it is you to continue"),
    Reason.ACCOUNT_FROZEN: Remedy(None, "This account is frozen", "Ask an administrator of this index what happened."),
    Reason.KEY_REQUIRED: Remedy("mfa.choose", "Add a passkey or security key to continue"),
    Reason.NO_PERMISSION: Remedy(
        None, "You may not do this", "An owner can do it, or give you the role that it needs."
    ),
    Reason.PROJECT_ARCHIVED: Remedy(None, "This project is archived", "An owner can open it again in its settings."),
    Reason.PROJECT_QUARANTINED: Remedy(
        None, "This project is in quarantine", "Ask an administrator of this index what happened."
    ),
    Reason.PUBLISHERS_ONLY: Remedy(
        None, "This project takes no API tokens", "An owner can change that on its publishing page."
    ),
    Reason.PUBLISHER_SCOPE: Remedy(
        None, "This trusted publisher does not reach that far", "An owner of the project can add it there."
    ),
    Reason.TOKEN_EXPIRED: Remedy("management.tokens", "This API token has expired"),
    Reason.TOKEN_SCOPE: Remedy("management.tokens", "This API token does not reach that far"),
    Reason.TOKEN_NETWORK: Remedy("management.tokens", "This API token is not meant for this network"),
}


def answer(denial: Denial, channel: Channel, *, resume: str | None, keeps: tuple[str, ...]) -> ResponseReturnValue:
    """Answer a refusal through its channel, and leave its event in the journal.

    Of strangers who want to read there is none: uv and pip ask without credentials first, and would fill it.
    """
    if not (denial.action.needs.reading and isinstance(denial.principal, Anonymous)):
        _record(denial)
    if channel is Channel.MACHINE:
        return _to_machine(denial)
    if wants_json():
        return machine_refusal(
            403, sentence(denial), code=denial.reason.value, rule=denial.rule, setup_url=setup_url(denial)
        )
    return _to_person(denial, resume=resume, keeps=keeps)


def sentence(denial: Denial) -> str:
    """What was refused and why, in one sentence or two, without the way on."""
    asked = f"to {denial.action.label}"
    match denial.reason:
        case Reason.NOT_SIGNED_IN:
            return f"Sign in {asked}."
        case Reason.EMAIL_UNVERIFIED:
            return f"Verify your primary email address {asked}."
        case Reason.ADDRESS_PROOF_REQUIRED:
            return f"Prove your email address again {asked}."
        case Reason.TWO_FACTOR_REQUIRED:
            return f"Two-factor authentication is required {asked}."
        case Reason.CONFIRMATION_REQUIRED:
            return f"Confirm it is you {asked}."
        case Reason.ACCOUNT_FROZEN:
            return "This account is frozen. Ask an administrator of this index."
        case Reason.TOKEN_EXPIRED:
            return _without_time(denial)
        case Reason.TOKEN_SCOPE if denial.action.needs.reading:
            return "This API token was not made for reading. Use one that was."
        case Reason.TOKEN_SCOPE:
            return f"This API token does not allow you {asked} here."
        case Reason.TOKEN_NETWORK:
            return "This API token may not be used from this network."
        case Reason.KEY_REQUIRED:
            return f"{_target(denial).asks_for_key} asks for a passkey or security key {asked}."
        case Reason.PROJECT_ARCHIVED:
            return f"{_target(denial).name} is archived. Open it again {asked}."
        case Reason.PROJECT_QUARANTINED:
            return f"{_target(denial).name} is in quarantine: you may not {denial.action.label} now."
        case Reason.PUBLISHERS_ONLY:
            return f"{_target(denial).name} takes files from trusted publishers only, and no API tokens."
        case Reason.PUBLISHER_SCOPE:
            return f"This trusted publisher may not {denial.action.label} here."
        case Reason.NO_PERMISSION:
            return _without_permission(denial)


def _without_time(denial: Denial) -> str:
    if isinstance(denial.principal, Publisher):
        return "This token was minted for a CI job and has expired. Have the job get another one."
    if isinstance(denial.principal, TokenHolder) and denial.principal.was_replaced:
        return "This secret was replaced and works no more. Use the API token's new secret."
    return "This API token has expired. Make a new one."


def _without_permission(denial: Denial) -> str:
    needs, target = denial.action.needs, denial.target
    if needs.administrator:
        return f"Only administrators of this index may {denial.action.label}."
    needed = needs.role or needs.organization_role
    if target is None or needed is None:
        return f"You may not {denial.action.label}."
    of = f" of {name}" if (name := shown_name(target)) else ""
    return f"Only {needed.holders}{of} may {denial.action.label}. Ask an owner."


def shown_name(target: Target) -> str:
    """What a refusal calls its target: by its name where everybody may know that, or has a part in it; else not at all,
    for a number that was guessed must not tell what stands behind it."""
    is_known = isinstance(target.subject, Project | Organization) or target.is_among_own or target.owner_id is not None
    return target.name if is_known else ""


def _target(denial: Denial) -> Target:
    assert denial.target is not None  # noqa: S101 - these reasons come from the target
    return denial.target


def setup_url(denial: Denial) -> str | None:
    """The address, with host, of the page where the refusal can be mended."""
    endpoint = REMEDIES[denial.reason].endpoint
    return f"{wiring.services().site.public_url}{url_for(endpoint)}" if endpoint else None


def _to_machine(denial: Denial) -> Response:
    if isinstance(denial.principal, Anonymous):
        if denial.action.needs.reading:
            return _challenge(denial.principal)
        if denial.principal.because:
            return machine_refusal(403, denial.principal.because, code="invalid_credentials")
        return machine_refusal(
            401,
            "Send an API token: the username is __token__, the password is the token.",
            code="no_credentials",
        )
    url, rule = setup_url(denial), f" (rule {denial.rule})" if denial.rule else ""
    if denial.action.needs.reading:
        return machine_refusal(403, sentence(denial), code=denial.reason.value, setup_url=url)
    words = {
        Reason.TWO_FACTOR_REQUIRED: f"Two-factor authentication is required for uploads. Set it up: {url}{rule}",
        Reason.EMAIL_UNVERIFIED: f"A verified email address is required for uploads. Verify it: {url}",
    }.get(denial.reason, sentence(denial))
    return machine_refusal(403, words, code=denial.reason.value, rule=denial.rule, setup_url=url)


def _challenge(stranger: Anonymous) -> Response:
    """Always 401, never a redirect: installers then look for credentials in their netrc, keyring or settings."""
    words = stranger.because or (
        "This index is for its members. Send an API token that may read: the username is __token__,"
        " the password is the token."
    )
    return machine_refusal(401, words, code="invalid_credentials" if stranger.because else "no_credentials")


def _to_person(denial: Denial, *, resume: str | None, keeps: tuple[str, ...]) -> ResponseReturnValue:
    remedy = REMEDIES[denial.reason]
    if denial.action is Action.SIGN_OUT:  # nothing else than the sign-in itself can be missing for it
        if request.method == "POST":  # a sign-in that is half done ends as well
            leave()
            db.session.commit()
        flash("You are signed out already.", "info")
        return redirect(url_for("auth.sign_in"), 303)
    if denial.reason is Reason.NOT_SIGNED_IN:
        flash(sentence(denial), "info")
        return redirect(url_for("auth.sign_in", next=_page_after_sign_in(resume)), 303)
    if remedy.endpoint is None:
        return _refused_here(denial, remedy)
    intent.keep(denial, resume=resume, keeps=keeps)
    db.session.commit()
    if denial.reason is Reason.CONFIRMATION_REQUIRED:
        return redirect(url_for(remedy.endpoint), 303)
    flash(_banner(denial, remedy), "danger")  # type: ignore[arg-type]  # the layout shows a mapping as the red banner
    return redirect(url_for(remedy.endpoint, _anchor="stop"), 303)


def _refused_here(denial: Denial, remedy: Remedy) -> ResponseReturnValue:
    page = render_template(
        "errors/error.html",
        code=403,
        title="Nothing was changed",
        message=remedy.advice,
        advice=[],
        links=[("Your projects", url_for("management.projects"))],
        refusal=_banner(denial, remedy),
    )
    return page, 403


def _banner(denial: Denial, remedy: Remedy) -> dict[str, str | None]:
    """The red banner's parts, as the template shows them."""
    shown = shown_name(denial.target) if denial.target else ""
    name = f" “{shown}”" if shown else ""
    return {
        "title": remedy.title,
        "asked": denial.action.label + name,
        "reason": _rule_sentence(denial) or sentence(denial),
        "afterwards": "Afterwards you come back to it. Installing and browsing keep working meanwhile."
        if remedy.endpoint
        else None,
        "rule": denial.rule,
        "at": wiring.now().isoformat(),
        "why_url": url_for("management.why") if isinstance(denial.principal, Member) else None,
    }


def _rule_sentence(denial: Denial) -> str | None:
    policy: Policy = wiring.services().policy
    if denial.reason is Reason.EMAIL_UNVERIFIED and denial.action.needs.reading:
        return "This index is for its members, and you are one once your address is verified."
    if denial.reason is Reason.EMAIL_UNVERIFIED:
        return "Management actions need a verified email address, so that we can reach you when your account changes."
    if denial.reason is Reason.ADDRESS_PROOF_REQUIRED:
        return "Nobody was here for a long time. Whoever has found the password only must not add a second factor."
    return next((rule.sentence for rule in policy.rules if rule.id == denial.rule), None)


def _page_after_sign_in(resume: str | None) -> str:
    if request.method == "GET":
        return request.full_path.rstrip("?")
    return url_for(resume or str(request.endpoint), _method="GET", **(request.view_args or {}))


def _record(denial: Denial) -> None:
    principal, now, policy = denial.principal, wiring.now(), wiring.services().policy
    account = principal.account if isinstance(principal, Member | TokenHolder) else None
    asked = (principal, denial.action, denial.target, policy, now)
    journal.refuse(
        db.session(),
        f"gate:{denial.action.name.lower()}:denied",
        now=now,
        origin=principal.origin,
        actor_id=account.user_id if account else None,
        project_id=denial.target.project_id if denial.target else None,
        details={
            "action": denial.action.label,
            "target": shown_name(denial.target) if denial.target else "",
            "reason": denial.reason.value,
            "rule": denial.rule,
            "steps": [step.facts for step in denial.steps],
            "helps": what_would_help(*asked),
            "way": way_through(*asked),
        },
    )
