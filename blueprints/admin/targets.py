"""From an address to the object of an administrator's action."""

from flask import abort

from domain.index import issuers, organization_requests
from domain.policy.principals import Member, Principal
from domain.policy.targets import Target
from models import db


def request_from_url(principal: Principal, request_id: int) -> Target:
    """The request for an organization; whoever is no administrator learns of none."""
    found = organization_requests.find(db.session(), request_id)
    if found is None or not (isinstance(principal, Member) and principal.account.is_administrator):
        abort(404)
    return organization_requests.target_of(found)


def issuer_from_url(principal: Principal, issuer_id: int) -> Target:
    """An issuer that was added; whoever is no administrator learns of none."""
    found = issuers.find(db.session(), issuer_id)
    if found is None or not (isinstance(principal, Member) and principal.account.is_administrator):
        abort(404)
    return issuers.target_of(found)
