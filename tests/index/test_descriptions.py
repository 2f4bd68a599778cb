"""Descriptions are rendered, and nothing in them can act on our pages or pass for them."""

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.index.descriptions import MAX_RENDERED_LENGTH, Unrenderable, render

MARKDOWN = "text/markdown; charset=UTF-8; variant=GFM"
RST = "text/x-rst"
PLAIN = "text/plain"


def elements(html: str) -> list[tuple[str, dict[str, str]]]:
    """All elements as a browser sees them, by name and attributes."""
    tree = html5lib.HTMLParser(namespaceHTMLElements=False).parseFragment(html)
    return [(element.tag, dict(element.attrib)) for element in tree.iter() if element.tag != "DOCUMENT_FRAGMENT"]


def test_markdown_is_rendered() -> None:
    html = render("# Acme\n\nSome *text* with a [link](https://example.org).\n\n- [x] done\n- [ ] open\n", MARKDOWN)

    assert "<h2" in html
    assert "<em>text</em>" in html
    assert '<a href="https://example.org" rel="nofollow">link</a>' in html
    assert "☑ done" in html
    assert "☐ open" in html


def test_restructuredtext_is_rendered_also_without_a_type() -> None:
    text = "Acme\n====\n\nSome *text* with a `link <https://example.org>`_.\n"

    for content_type in (RST, None):
        html = render(text, content_type)
        assert "<h2>Acme</h2>" in html
        assert "<em>text</em>" in html
        assert '<a href="https://example.org" rel="nofollow">link</a>' in html


@pytest.mark.parametrize("content_type", [PLAIN, "text/html", "nonsense", ";;;"])
def test_everything_else_is_shown_as_it_was_written(content_type: str) -> None:
    html = render("# Acme <b>\n\n  indented & kept", content_type)

    assert html == '<pre tabindex="0"># Acme &lt;b&gt;\n\n  indented &amp; kept</pre>'


@pytest.mark.parametrize(
    ("content_type", "words"),
    [(RST, "for 'text/x-rst'"), (None, "in the default format of reStructuredText")],
)
def test_text_that_is_not_what_its_type_says_is_refused(content_type: str | None, words: str) -> None:
    with pytest.raises(Unrenderable, match=f"The description failed to render {words}") as refusal:
        render("Acme\n==\n\n.. nonsense:: <script>", content_type)

    assert refusal.value.field == "description"
    assert refusal.value.message.isascii()


def test_text_that_breaks_a_renderer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(raw: str) -> str:
        raise RecursionError

    monkeypatch.setattr("readme_renderer.rst.render", fail)

    with pytest.raises(Unrenderable):
        render("Acme", RST)


def test_very_long_text_is_shown_as_it_was_written() -> None:
    assert render("# x\n" * (MAX_RENDERED_LENGTH // 4 + 1), MARKDOWN).startswith('<pre tabindex="0"># x')


@pytest.mark.parametrize("content_type", [MARKDOWN, RST, PLAIN, None])
def test_no_text_gives_no_html(content_type: str | None) -> None:
    assert render("", content_type) == ""
    assert render(" \n ", content_type) == ""


def test_headings_stand_beneath_the_heading_of_the_page() -> None:
    html = render("# one\n\n## two\n\n###### six\n\n<h1 id=x>raw</h1>", MARKDOWN)

    assert [name for name, _ in elements(html) if name.startswith("h")] == ["h2", "h3", "h6", "h2"]
    assert html.count("</h2>") == 2


def test_code_is_highlighted_by_classes_alone() -> None:
    for text, content_type in (
        ("```python\ndef f(): pass\n```", MARKDOWN),
        (".. code:: python\n\n   def f(): pass", RST),
    ):
        html = render(text, content_type)
        assert '<span class="k">def</span>' in html
        assert '<pre tabindex="0">' in html
        assert "style=" not in html


def test_wide_tables_scroll_within_themselves() -> None:
    html = render("|a|b|\n|-|-:|\n|1|2|\n", MARKDOWN)

    assert html.startswith('<div class="scroll" tabindex="0"><table>')
    assert html.strip().endswith("</table></div>")
    assert '<td align="right">2</td>' in html


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        (
            '![A <b> "diagram"](https://example.org/a.png)',
            '<a href="https://example.org/a.png" rel="nofollow">A &lt;b&gt; &quot;diagram&quot;</a>',
        ),
        ("![](https://example.org/a%20b.png?x=1&y=2)", ">a%20b.png?x=1&amp;y=2</a>"),
        (
            "[![build](https://ci.example/b.svg)](https://ci.example)",
            '<a href="https://ci.example" rel="nofollow">build</a>',
        ),
        (
            "[![](https://ci.example/b.svg)](https://ci.example)",
            '<a href="https://ci.example" rel="nofollow">b.svg</a>',
        ),
        ("![logo](docs/logo.png)", "<p>logo</p>"),
        ("![logo](data:image/png;base64,AAAA)", "<p>logo</p>"),
        ("![](docs/logo.png)", "<p></p>"),
    ],
)
def test_images_become_links_with_their_alternative_text(markdown: str, html: str) -> None:
    rendered = render(markdown, MARKDOWN)

    assert html in rendered
    assert "<img" not in rendered


def test_images_of_restructuredtext_become_links_too() -> None:
    html = render(".. image:: https://example.org/a.png\n   :alt: diagram\n   :target: https://example.org", RST)

    assert "<img" not in html
    assert '<a href="https://example.org" rel="nofollow">\ndiagram\n</a>' in html


def test_links_to_headings_work_and_links_without_text_are_gone() -> None:
    html = render("# Set up\n\n[below](#set-up)", MARKDOWN)

    assert '<h2 id="user-content-set-up">Set up</h2>' in html
    assert '<a href="#user-content-set-up" rel="nofollow">below</a>' in html


@pytest.mark.parametrize(
    "address", ["docs/index.md", "/account/logout/", "//evil.example", "?q=1", "../x", "ftp://x.org"]
)
def test_links_that_lead_nowhere_from_here_are_text(address: str) -> None:
    html = render(f"[docs]({address})", MARKDOWN)

    assert "docs</a>" in html
    assert "href" not in html


ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    '<img src="https://e.org/a.png" alt="&quot; onerror=alert(1) x=&quot;">',
    '<img alt="><script>alert(1)</script>" src="https://e.org/&quot;onload=alert(1)">',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="JaVa&#115;cript:alert(1)">x</a>',
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="vbscript:x" onclick="alert(1)">x</a>',
    "[x](javascript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "<javascript:alert(1)>",
    "<style>body{display:none}</style>",
    '<p style="position:fixed;inset:0">x</p>',
    "<svg onload=alert(1)><script>alert(1)</script><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "<math><mtext></p><style><img src onerror=alert(1)></style></math>",
    "<iframe src='https://evil.example'></iframe><object data=x></object><embed src=x>",
    "<form action=/account/login/><input name=password type=password><button>Sign in</button></form>",
    "<input type=image src=https://evil.example/x.png><textarea><select><option>x",
    '<meta http-equiv=refresh content="0;url=https://evil.example">',
    "<base href=https://evil.example><link rel=stylesheet href=x>",
    '<div id="stop" class="stop button" role="alert" tabindex=1 data-module=webauthn hidden>Sign in again</div>',
    '<a id="main" name="csrf_token" target=_top ping=https://evil.example href="https://e.org">x</a>',
    "<video src=x autoplay onplay=alert(1)></video><audio src=x><source srcset=x>",
    '<picture><source srcset="https://e.org/x"></picture>',
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
    "<template><script>alert(1)</script></template><dialog open>x</dialog><slot>",
    "<!--><script>alert(1)</script>-->",
    "<table><td><a href=https://e.org><table><img src=https://e.org/x alt='</a><script>alert(1)</script>'>",
    "```python\"><script>alert(1)</script>\nx\n```",
    ".. raw:: html\n\n   <script>alert(1)</script>",
    ".. include:: /etc/passwd",
    ".. image:: javascript:alert(1)",
    "`x <javascript:alert(1)>`_",
    ".. class:: stop\n\nSign in again",
    ".. role:: stop\n\n:stop:`Sign in again`",
    ".. container:: stop\n   :name: main\n\n   x",
    ".. figure:: https://e.org/x.svg\n   :target: javascript:alert(1)\n   :figclass: stop\n\n   x",
    ".. _main:\n\nMain\n====\n\nx",
]  # fmt: skip

ALLOWED = {
    "a": {"href", "title", "rel", "id"},
    "abbr": {"title", "id"},
    "ol": {"start", "id"},
    "pre": {"tabindex", "id"},
    "span": {"class", "id"},
    "td": {"align", "colspan", "rowspan", "id"},
    "th": {"align", "id"},
    "div": {"class", "tabindex", "id"},
}
NEVER = frozenset(
    [
        "script", "style", "svg", "math", "iframe", "object", "embed", "form", "input", "button", "select", "textarea",
        "img", "picture", "source", "video", "audio", "link", "meta", "base", "template", "dialog", "slot", "h1",
    ]
)  # fmt: skip


def check_harmless(text: str, content_type: str | None) -> None:
    try:
        html = render(text, content_type)
    except Unrenderable:
        return
    for name, attributes in elements(html):
        assert name not in NEVER
        assert attributes.keys() <= ALLOWED.get(name, {"id"}), (name, attributes)
        assert attributes.get("id", "user-content-").startswith("user-content-")
        assert attributes.get("href", "#").startswith(("#", "http://", "https://", "mailto:"))
        assert attributes.get("class", "") != "stop"
        if name == "div" and "class" in attributes:
            assert attributes == {"class": "scroll", "tabindex": "0"}


@pytest.mark.parametrize("content_type", [MARKDOWN, "text/markdown; variant=CommonMark", RST, PLAIN, None])
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_harmless(attack: str, content_type: str | None) -> None:
    check_harmless(attack, content_type)
    check_harmless(f"Acme\n====\n\n{attack}\n\nmore text", content_type)


PIECES = [
    *ATTACKS, "# ", "\n\n", "[", "](", ")", "<a href=https://e.org>", "</a>", "<img src=https://e.org/x alt='", "'>",
    "<h1>", "</h1>", "<table><tr><td>", "</table>", '"', "&quot;", "<", ">", "`", "|", "- [x] ", "    ", "text",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.sampled_from([MARKDOWN, RST]))
def test_any_mixture_of_attacks_is_harmless(text: str, content_type: str) -> None:
    check_harmless(text, content_type)


@given(st.text(max_size=200), st.sampled_from([MARKDOWN, RST, PLAIN]))
def test_any_text_is_rendered_or_refused(text: str, content_type: str) -> None:
    check_harmless(text, content_type)
