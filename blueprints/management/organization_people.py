"""The people of an organization."""

from flask import render_template
from flask.typing import ResponseReturnValue

from blueprints.gate import management_action
from blueprints.management import bp
from blueprints.management.targets import organization_from_url
from domain.index import organization_members
from domain.policy.actions import Action
from domain.policy.decision import Permit
from models import Organization, db


@bp.get("/manage/organization/<organization>/people/")
@management_action(Action.VIEW_ORGANIZATION, target=organization_from_url)
def organization_people(permit: Permit, organization: Organization) -> ResponseReturnValue:
    """List everybody who has a part in the organization."""
    members = organization_members.of_organization(db.session(), organization)
    return render_template("management/organization_people.html", organization=organization, members=members)
