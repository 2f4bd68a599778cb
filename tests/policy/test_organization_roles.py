"""The table of roles in the document is the table of actions."""

from pathlib import Path

from domain.policy.actions import Action
from domain.policy.targets import OrganizationRole

DOCUMENT = Path(__file__).parents[2] / "docs/organizations.md"


def test_the_document_says_of_each_role_what_the_table_of_actions_says() -> None:
    lines = [line.strip("| ").split(" | ") for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]
    written = {role: set(may.split("; ")) for role, may in lines[1:]}

    assert written == {
        role.word: {action.label for action in Action if action.needs.organization_role is role}
        for role in OrganizationRole
    }
