"""The form of each provider of CI identities, drawn from its description; what may stand there the domain says."""

from collections.abc import Mapping

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import SelectField

from blueprints.fields import Line, Paragraphs
from domain.index.publisher_identities import PROVIDERS, Provider, issuers_of

FIELDS = tuple(dict.fromkeys(("issuer", *(field.name for one in PROVIDERS.values() for field in one.fields))))


def form_for(
    provider: Provider,
    added: Mapping[str, str],
    filled_in: MultiDict[str, str] | None = None,
    *,
    names_project: bool = False,
) -> FlaskForm:
    """The form of this provider. added: its issuers besides the built-in one; filled_in: values from an address.

    names_project: it also asks for the project, which does not exist yet.
    """
    fields: dict[str, object] = {"project_name": Line("Project name")} if names_project else {}
    if provider.issuer is None:
        choices = {url: f"{name} ({url})" for url, name in issuers_of(provider, added).items()}
        fields["issuer"] = SelectField("Issuer", choices=choices, validate_choice=False)
    for field in provider.fields:
        fields[field.name] = Paragraphs(field.label) if field.is_long else Line(field.label)
    kind = type("PublisherForm", (FlaskForm,), fields)
    form: FlaskForm = kind() if filled_in is None else kind(formdata=filled_in)
    return form
