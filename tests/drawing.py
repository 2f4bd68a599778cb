"""Draws templates as the application does, without the application, for tests of the components."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader, StrictUndefined

from blueprints.rendering import FILTERS

TEMPLATES = Path(__file__).parents[1] / "templates"


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
    """All text of an element, white space folded."""
    assert element is not None
    return " ".join("".join(element.itertext()).split())


def find(root: Element, path: str) -> Element:
    """The first element at a path; there must be one."""
    found = root.find(path)
    assert found is not None, f"no {path}"
    return found
