"""Forms of the administration. What may stand in their fields is for the domain to say."""

from flask_wtf import FlaskForm
from wtforms import RadioField

from blueprints.fields import Paragraphs


class DecisionForm(FlaskForm):  # type: ignore[misc]  # flask_wtf publishes no types
    """Approve, decline or ask."""

    decision = RadioField(
        "What do you decide?",
        choices={
            "approve": "Approve: the organization is made at once",
            "ask": "Ask: the request waits for the answer",
            "decline": "Decline",
        },
        validate_choice=False,
    )
    text = Paragraphs("Question or reason")
