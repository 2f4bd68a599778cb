"""The pieces that pages are made of say what they must, to eyes and to screen readers."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from jinja2 import DictLoader, Environment, FileSystemLoader, StrictUndefined
from jinja2.loaders import ChoiceLoader
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

from blueprints.rendering import FILTERS

TEMPLATES = Path(__file__).parents[2] / "templates"
CHOICES: Any = ["acme-utils", "acme-client"]  # the stubs are of 3.2 and ask for tuples, which 3.3 deprecates
STOP = {"title": "Turn it on to continue", "reason": "A rule asks for it.", "asked": "create an API token"}


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


def render(source: str, *, flashed: Sequence[tuple[str, object]] = (), **values: object) -> Element:
    """A template rendered as the application does, read as HTML."""
    environment = Environment(
        loader=ChoiceLoader([DictLoader({"page": source}), FileSystemLoader(TEMPLATES)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(
        url_for=lambda endpoint, **parts: f"/{endpoint}",
        csrf_token=lambda: "one-time",
        get_flashed_messages=lambda **_: flashed,
    )
    site = SimpleNamespace(name="Countersign", host="index.example", version="1.0", project_count=1214)
    html = environment.get_template("page").render({"site": site, "viewer": None, "theme": "auto", **values})
    root: Element = html5lib.HTMLParser(namespaceHTMLElements=False).parse(html)
    return root


def page(content: str, **values: Any) -> Element:
    """A whole page with this content."""
    frame = '{% extends "layouts/base.html" %}{% block title %}Tokens{% endblock %}'
    return render(frame + "{% block content %}" + content + "{% endblock %}", **values)


def words(element: Element | None) -> str:
    assert element is not None
    return " ".join("".join(element.itertext()).split())


def find(root: Element, path: str) -> Element:
    found = root.find(path)
    assert found is not None, f"no {path}"
    return found


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


def test_a_barred_choice_is_disabled_and_says_why() -> None:
    source = """{% from "components/forms.html" import choice %}
    {{ choice("method", "key", "Passkey", "A key.", barred="Not yet offered.") }}"""

    root = render(source)

    assert find(root, ".//input").get("disabled") is not None
    assert "Not yet offered." in words(find(root, ".//label"))


def test_a_page_carries_the_symbols_that_it_uses_and_no_others() -> None:
    source = '{% from "components/icons.html" import icon %}{{ icon("key") }}'

    drawn = {symbol.get("id") for symbol in page(source).iter() if symbol.tag.endswith("symbol")}

    assert drawn == {"i-search", "i-key"}


def test_a_refusal_is_a_red_banner_first_in_main_and_in_the_title() -> None:
    banner_values = {**STOP, "rule": "new-users", "at": "2026-11-22T14:05:00+00:00"}

    root = page("<h1>Choose</h1>", flashed=[("info", "Kept."), ("danger", banner_values)])

    banner = find(root, ".//main")[0]
    assert (banner.get("id"), banner.get("role"), banner.get("tabindex")) == ("stop", "alert", "-1")
    assert "You asked to create an API token. A rule asks for it." in words(banner)
    assert words(banner).endswith("rule new-users stopped 22 Nov 2026, 14:05 UTC")
    assert words(find(root, ".//title")) == "Action needed: Tokens – Countersign"
    assert [words(notice) for notice in root.findall(".//*[@role='status']")] == ["Kept."]


def test_a_page_may_carry_its_own_refusal() -> None:
    assert words(find(page("", refusal=STOP), ".//*[@id='stop']")).startswith("Turn it on to continue")


def test_a_form_with_errors_says_so_in_the_title() -> None:
    assert words(find(page("", form=an_empty_form_sent()), ".//title")) == "Error: Tokens – Countersign"
    assert words(find(page("", form=EveryField()), ".//title")) == "Tokens – Countersign"
    assert words(find(page("", has_errors=["Wrong."]), ".//title")) == "Error: Tokens – Countersign"


def test_a_danger_in_one_sentence_is_a_notice() -> None:
    root = page("", flashed=[("danger", "The token was not created. <b>")])

    assert words(find(root, ".//*[@role='alert']")) == "The token was not created. <b>"
    assert root.find(".//*[@id='stop']") is None


def test_the_account_menu_tells_in_words_what_is_missing() -> None:
    def summary(**changes: bool) -> str:
        facts = {"has_second_factor": True, "email_verified": True, "needs_recovery_codes": False, **changes}
        return words(find(page("", viewer=SimpleNamespace(username="ana", **facts)), ".//summary"))

    assert summary() == "ana 2FA on"
    assert summary(has_second_factor=False) == "ana Set up 2FA"
    assert summary(has_second_factor=False, email_verified=False) == "ana Verify email"
    assert words(find(page(""), ".//*[@class='band__enter']")) == "Sign in"


def test_unsaved_recovery_codes_are_recalled_on_every_page() -> None:
    facts = {"has_second_factor": True, "email_verified": True, "needs_recovery_codes": True}
    viewer = SimpleNamespace(username="ana", **facts)

    assert "recovery codes are not saved" in words(find(page("", viewer=viewer), ".//*[@role='status']"))


def test_steps_tell_which_are_done_and_which_is_current() -> None:
    source = '{% from "components/gate.html" import steps %}{{ steps(["Choose", "Connect", "Save"], 2) }}'

    items = render(source).findall(".//li")

    assert [words(item) for item in items] == ["Choose (done)", "Connect", "Save"]
    assert [item.get("aria-current") for item in items] == [None, "step", None]


def test_a_trace_says_each_state_in_words() -> None:
    steps = [
        {"question": "Signed in?", "state": "passed", "answer": "Yes.", "inputs": ["ana"]},
        {"question": "Second factor?", "state": "stopped", "answer": "No.", "inputs": []},
        {"question": "Fresh?", "state": "unreached", "answer": "", "inputs": []},
    ]

    root = render('{% from "components/gate.html" import trace %}{{ trace(steps) }}', steps=steps)

    assert [words(item) for item in root.findall(".//ol/li")] == [
        "Signed in? passed Yes. ana",
        "Second factor? stopped here No.",
        "Fresh? not reached",
    ]


def test_a_cell_of_a_table_keeps_its_role_and_its_heading() -> None:
    source = """{% from "components/tables.html" import table, row, row_head, cell %}
    {% call table("Files", ["File", "Size", none], right=["Size"]) %}{% call row() %}{{ row_head("a.whl") }}
    {{ cell("Size", "41 kB", num=true) }}{% call cell(none) %}<a href="/x">Remove</a>{% endcall %}
    {% endcall %}{% endcall %}"""

    root = render(source)

    size, action = root.findall(".//td")
    assert (size.get("role"), size.get("data-label"), size.get("class")) == ("cell", "Size", "num")
    assert (action.get("data-label"), action.get("class")) == (None, "table__actions")
    assert [words(head) for head in root.findall(".//thead//th")] == ["File", "Size", "Action"]


def test_a_code_block_keeps_its_lines() -> None:
    source = '{% from "components/copy.html" import code %}{{ code(text) }}'

    block = find(render(source, text="# a file\n[index]\nurl = <x>"), ".//pre")

    assert "".join(block.itertext()) == "# a file\n[index]\nurl = <x>"
    assert words(block.find(".//b")) == "# a file"


def test_a_copy_button_names_an_element_that_exists() -> None:
    root = render(
        """{% from "components/copy.html" import install %}
        {{ install([("pip", "pip install x"), ("uv", "uv add x")]) }}"""
    )

    named = [button.get("aria-controls") for button in root.findall(".//button")]
    assert [words(find(root, f".//*[@id='{key}']")) for key in named] == ["pip install x", "uv add x"]


def test_the_page_for_a_broken_server_needs_nothing_from_it() -> None:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.globals["url_for"] = lambda endpoint, **parts: f"/{endpoint}"
    values = {"code": 500, "title": "Our mistake", "message": "It is logged.", "advice": [], "links": []}

    html = environment.get_template("errors/error.html").render(values)

    assert "<h1>Our mistake</h1>" in html
    assert "<title>Our mistake – Countersign</title>" in html
