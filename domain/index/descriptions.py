"""A project's description as HTML that is safe and at home on our page."""

import re
from collections.abc import Callable
from functools import partial
from html import escape, unescape

import nh3
from readme_renderer import markdown
from readme_renderer.clean import ALLOWED_TAGS

from domain.problems import Problem

# reStructuredText takes about a second for 50,000 characters, and an upload waits for it.
MAX_RENDERED_LENGTH = 200_000

_TAGS = ALLOWED_TAGS - {"nav", "picture"}
_ATTRIBUTES = {
    "*": {"id"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt"},
    "input": {"type", "checked"},
    "ol": {"start"},
    "span": {"class"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align"},
}
_HIGHLIGHTING = re.compile("[a-z][a-z0-9]?")  # the classes of Pygments: "k" is a keyword, "s1" a string
_LEADING_ON = re.compile("#|https?://|mailto:", re.IGNORECASE)

# These read HTML that nh3 has written: no < outside tags, no " inside the values of attributes.
_TAG = re.compile(r'<(/?)(a|h[1-5]|img|input|table)\b((?:[^">]|"[^"]*")*)>')
_EMPTY_LINK = re.compile(r'<a (?:[^">]|"[^"]*")*?href="[^"]*"(?:[^">]|"[^"]*")*>\s*</a>')
_ATTRIBUTE = re.compile(r' (\w+)="([^"]*)"')


class Unrenderable(Problem):
    """A description that is not what its content type says."""

    def __init__(self, content_type: str | None) -> None:
        kind = f"for {content_type[:50]!a}" if content_type else "in the default format of reStructuredText"
        super().__init__(
            f"The description failed to render {kind}. `twine check` says where.",
            field="description",
            code="invalid_description",
        )


def render(text: str, content_type: str | None) -> str:
    """Render a description by its Description-Content-Type; without one it is taken for reStructuredText.

    Scripts, styles, forms, frames and our own classes and ids cannot get in. Our pages load no image from
    elsewhere, so each image becomes a link named by its alternative text. Headings go one level down, beneath the
    page's own. Plain text, and what is very long, is shown as it was written. Raises Unrenderable.
    """
    if not text.strip():
        return ""
    renderer = _renderer(content_type or "text/x-rst")
    if renderer is None or len(text) > MAX_RENDERED_LENGTH:
        return f'<pre tabindex="0">{escape(text)}</pre>'
    try:
        html = renderer(text)
    except Exception:  # noqa: BLE001 - whatever a stranger's text breaks in the renderers, it is no fault of ours
        html = None
    if html is None:
        raise Unrenderable(content_type)
    return _EMPTY_LINK.sub("", _Fitting().fit(_sanitised(html)))


def _renderer(content_type: str) -> Callable[[str], str | None] | None:
    """What makes HTML of it; None for plain text."""
    kind, _, parameters = content_type.lower().partition(";")
    if kind.strip() == "text/markdown":
        return partial(markdown.render, variant="CommonMark" if "commonmark" in parameters else "GFM")
    if kind.strip() != "text/x-rst":
        return None
    from readme_renderer import rst  # here, for docutils takes 5 MB, and few descriptions are written so

    return rst.render


def _sanitised(html: str) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_filter_attribute,
        set_tag_attribute_values={"pre": {"tabindex": "0"}},  # it scrolls, also by keyboard
        id_prefix="user-content-",  # else an id could take the place of ours
        link_rel="nofollow",
        url_schemes={"http", "https", "mailto"},
    )


def _filter_attribute(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "class":  # a stranger's text must not dress up as our red banner
        return value if _HIGHLIGHTING.fullmatch(value) else None
    if attribute in {"href", "src"}:  # relative ones mean the project's repository, which is not here
        return value if _LEADING_ON.match(value) else None
    return value


class _Fitting:
    """Goes through the tags once and changes those that would be out of place."""

    def __init__(self) -> None:
        self._in_link = False

    def fit(self, html: str) -> str:
        return _TAG.sub(self._fit_tag, html)

    def _fit_tag(self, match: re.Match[str]) -> str:
        slash, name, rest = match.groups()
        attributes = dict(_ATTRIBUTE.findall(rest))
        if name == "img":
            return self._image_as_text(attributes)
        if name == "input":
            return ("☑" if "checked" in attributes else "☐") if attributes.get("type") == "checkbox" else ""
        if name == "table":
            return "</table></div>" if slash else f'<div class="scroll" tabindex="0"><table{rest}>'
        if name == "a":
            self._in_link = not slash
            return match[0]
        return f"<{slash}h{int(name[1]) + 1}{rest}>"

    def _image_as_text(self, attributes: dict[str, str]) -> str:
        source = unescape(attributes.get("src", ""))
        text = unescape(attributes.get("alt", "")) or source.rstrip("/").rpartition("/")[2]
        if self._in_link or not source:
            return escape(text)
        return f'<a href="{escape(source)}" rel="nofollow">{escape(text or source)}</a>'
