"""The whole matrix, asked of the judge."""

import pytest

from domain.policy.actions import Action
from tests.policy.cast import CAST, answer
from tests.policy.matrix import COLUMNS, MATRIX


def test_every_action_has_its_line_and_everybody_a_column() -> None:
    assert list(MATRIX) == [action.name for action in Action]
    assert list(COLUMNS) == list(CAST)


@pytest.mark.parametrize("who", COLUMNS)
def test_the_judge_says_what_the_matrix_says(who: str) -> None:
    wrong = {
        action: (said, wanted[who])
        for action, (about, wanted) in MATRIX.items()
        if (said := answer(CAST[who], Action[action], about)) != wanted[who]
    }

    assert wrong == {}


def test_what_is_asked_about_is_what_the_action_needs() -> None:
    for name, (about, _) in MATRIX.items():
        needs = Action[name].needs
        assert (about == "project") == (
            needs.role is not None or needs.private
        ) or name == "REMOVE_ORGANIZATION_PROJECT"
        assert (about == "organization") <= (needs.organization_role is not None), name
