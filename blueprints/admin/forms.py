"""Forms of the administration. What may stand in their fields is for the domain to say."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField

from blueprints.fields import Line, Paragraphs


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


class IssuerForm(FlaskForm):  # type: ignore[misc]
    """Add an issuer of identities."""

    kind = RadioField(
        "What is it?",
        choices={
            "gitlab": "A GitLab of your own",
            "oidc": "Forgejo, Gitea, or anything else that signs OpenID Connect tokens",
        },
        validate_choice=False,
    )
    name = Line("Name")
    url = Line("Issuer")
    allows_private = BooleanField("It lies in a private network")
