"""Fields, their hints and their errors belong together, for eyes and for screen readers."""

from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    Form,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from tests.drawing import find, page, render, words

CHOICES: Any = ["acme-utils", "acme-client"]  # the stubs are of 3.2 and ask for tuples, which 3.3 deprecates


class EveryField(Form):
    """One field of each kind that pages use."""

    csrf_token = HiddenField(default="one-time")
    name = StringField("Name", [InputRequired("Type a name.")])
    password = PasswordField("Password", [InputRequired("Type it.")])
    notes = TextAreaField("Notes", [InputRequired("Say something.")])
    expires = SelectField("Ends", [InputRequired("Choose an end.")], choices=CHOICES)
    reach = RadioField("What may it do?", [InputRequired("Choose one.")], choices=CHOICES)
    projects = SelectMultipleField(
        "Projects",
        [InputRequired("Tick one.")],
        choices=CHOICES,
        widget=ListWidget(),
        option_widget=CheckboxInput(),
    )
    agreed = BooleanField("I have read it", [InputRequired("Tick it.")])


def an_empty_form_sent() -> EveryField:
    form = EveryField(MultiDict())
    form.validate()
    return form


FORM = """{% from "components/forms.html" import field, hidden %}
{% from "components/messages.html" import errors %}
<form>{{ hidden(form) }}{{ errors(form) }}
{% for one in form if one.name != "csrf_token" %}{{ field(one, hint="A hint.") }}{% endfor %}</form>"""


def test_a_field_is_described_by_its_hint_and_its_error() -> None:
    root = render(FORM, form=an_empty_form_sent())

    control = find(root, ".//input[@name='name']")
    keys = (control.get("aria-describedby") or "").split()
    assert [words(find(root, f".//*[@id='{key}']")) for key in keys] == ["A hint.", "Error: Type a name."]
    assert control.get("aria-invalid") == "true"


def test_a_field_without_fault_is_not_marked() -> None:
    root = render(FORM, form=EveryField())

    assert root.findall(".//*[@aria-invalid]") == []
    assert root.find(".//*[@id='errors']") is None


def test_label_hint_error_and_control_come_in_this_order() -> None:
    root = render(FORM, form=an_empty_form_sent())

    field = next(block for block in root.iter("div") if block.find("input[@name='name']") is not None)
    assert [child.get("class") or child.tag for child in field] == ["label", "hint", "field__error", "input"]


def test_every_link_of_the_error_summary_leads_to_a_control() -> None:
    root = render(FORM, form=an_empty_form_sent())

    links = find(root, ".//*[@id='errors']").findall(".//a")
    targets = [find(root, f".//*[@id='{(link.get('href') or '')[1:]}']") for link in links]
    assert [target.tag for target in targets] == ["input"] * 2 + ["textarea", "select"] + ["input"] * 3
    assert words(links[0]) == "Name: Type a name."
    assert words(links[4]) == "What may it do: Choose one."


def test_what_is_wrong_with_the_whole_form_is_said_in_the_summary() -> None:
    form = EveryField()
    form.form_errors.append("Username or password is wrong.")

    root = render(FORM, form=form)

    summary = find(root, ".//*[@id='errors']")
    assert words(summary) == "That did not work Username or password is wrong."
    assert (summary.get("role"), summary.get("tabindex")) == ("alert", "-1")


def test_two_forms_of_a_page_share_no_id() -> None:
    post = '{{ post_button("Remove", "/a", about="ci", id="7") }}'

    root = render('{% from "components/forms.html" import post_button %}' + post + post)

    assert root.findall(".//*[@id]") == []
    assert [field.get("name") for field in root.findall(".//input")] == ["csrf_token", "id"] * 2
    assert words(root.find(".//button")) == "Remove ci"


def test_attributes_reach_the_control() -> None:
    source = """{% from "components/forms.html" import field %}
    {{ field(form.name, code="short", inputmode="numeric") }}"""

    control = find(render(source, form=EveryField()), ".//input")

    assert control.get("inputmode") == "numeric"
    assert (control.get("autocapitalize"), control.get("spellcheck")) == ("off", "false")
    assert "field__code--short" in (control.get("class") or "")


def test_a_choice_that_needs_scripts_says_so_where_there_are_none() -> None:
    source = """{% from "components/forms.html" import choice %}
    {{ choice("method", "key", "Passkey", "A key.", needs_script="It needs JavaScript.") }}"""

    root = render(source)

    assert find(root, ".//input").get("disabled") is None
    assert words(find(root, ".//*[@class='choice__barred without-script']")) == "It needs JavaScript."


def test_a_form_with_errors_says_so_in_the_title() -> None:
    assert words(find(page("", form=an_empty_form_sent()), ".//title")) == "Error: Tokens – Countersign"
    assert words(find(page("", form=EveryField()), ".//title")) == "Tokens – Countersign"
    assert words(find(page("", has_errors=["Wrong."]), ".//title")) == "Error: Tokens – Countersign"
