"""The look keeps its promises: contrast, one place for colours, nothing inline, nothing missing."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CSS = ROOT / "static/css"
SHEETS = sorted(CSS.glob("*.css"))
SCRIPTS = sorted((ROOT / "static/js").glob("*.js"))
# Mail clients know neither stylesheets nor our policy for content; mails are looked at where they are made.
PAGES = sorted(path for path in (ROOT / "templates").rglob("*.html") if "email" not in path.parts)

GROUNDS = ("paper", "surface", "sunken")
READABLE = [  # text on ground: WCAG 2.2 asks for 4.5
    *((ink, ground) for ink in ("ink", "ink-2", "ink-3", "link", "brand") for ground in GROUNDS),
    *((ink, ground) for ink in ("danger-text", "ok-ink", "warn-ink") for ground in ("paper", "surface")),
    *((f"{state}-ink", f"{state}-tint") for state in ("danger", "warn", "ok", "info")),
    ("ink", "brand-tint"),
    ("ink-2", "brand-tint"),
    ("link", "brand-tint"),
    ("brand", "brand-tint"),
    ("on-brand", "brand"),
    ("on-brand", "brand-hover"),
    ("on-stop", "stop"),
    ("on-stop", "stop-hover"),
    ("on-band", "band"),
    ("on-band-2", "band"),
    ("plate-ink", "plate"),
]
VISIBLE = [  # borders and marks beside ground: WCAG 2.2 asks for 3
    ("control", "surface"),
    ("control", "paper"),
    ("stop-edge", "paper"),
    ("stop-edge", "surface"),
    ("stop-line", "stop"),
    ("brand", "paper"),
    ("amber", "band"),
    ("on-dot", "band"),
]


def without_comments(css: str) -> str:
    return re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)


def colours(css: str) -> dict[str, tuple[str, str]]:
    """Name of a token → its hexadecimal values in light and in dark."""
    pattern = r"--([\w-]+):\s*(?:light-dark\((#\w+),\s*(#\w+)\)|(#\w+));"
    return {name: (light or only, dark or only) for name, light, dark, only in re.findall(pattern, css)}


TOKENS_CSS = without_comments((CSS / "tokens.css").read_text())
TOKENS = colours(TOKENS_CSS.split("@supports")[0])


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio, from 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_contrast_formula_gives_the_known_ratios() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(("theme", "light_or_dark"), [("light", 0), ("dark", 1)])
@pytest.mark.parametrize(
    ("front", "ground", "needed"), [*((*pair, 4.5) for pair in READABLE), *((*pair, 3.0) for pair in VISIBLE)]
)
def test_colours_stand_out_from_their_ground(
    front: str, ground: str, needed: float, theme: str, light_or_dark: int
) -> None:
    ratio = contrast(TOKENS[front][light_or_dark], TOKENS[ground][light_or_dark])

    assert ratio >= needed, f"--{front} on --{ground} has {ratio:.2f} in the {theme} theme"


@pytest.mark.parametrize("ground", ["paper", "surface", "brand", "band", "stop"])
@pytest.mark.parametrize("light_or_dark", [0, 1])
def test_one_tone_of_the_focus_ring_shows_on_every_ground(ground: str, light_or_dark: int) -> None:
    behind = TOKENS[ground][light_or_dark]

    assert max(contrast(TOKENS[tone][light_or_dark], behind) for tone in ("amber", "ring")) >= 3


def test_old_engines_get_the_light_set() -> None:
    fallback = colours(TOKENS_CSS.split("@supports")[1])

    assert fallback == {name: (light, light) for name, (light, dark) in TOKENS.items() if light != dark}


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_only_tokens_hold_colours(sheet: Path) -> None:
    values = " ".join(re.findall(r":([^;{}]+);", without_comments(sheet.read_text())))
    named = r"(?<![\w-])(?:white|black|gr[ae]y|red|green|blue|yellow|orange|purple|brown|pink)(?![\w-])"
    written = rf"#[0-9a-f]{{3,8}}\b|(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\(|{named}"
    raw = re.findall(written, values, flags=re.IGNORECASE)
    allowed = {"tokens.css": set(raw), "print.css": {"#000", "#fff"}}  # paper is white and ink is black

    assert set(raw) <= allowed.get(sheet.name, set())


def test_styles_use_every_property_that_exists_and_no_other() -> None:
    everything = " ".join(without_comments(sheet.read_text()) for sheet in SHEETS)
    defined = set(re.findall(r"(--[\w-]+):", everything))

    assert set(re.findall(r"var\((--[\w-]+)", everything)) == defined


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_styles_refer_only_to_files_that_exist(sheet: Path) -> None:
    addresses = re.findall(r"url\(\s*[\"']?([^\"')]+)", sheet.read_text())

    assert [address for address in addresses if not (CSS / address).is_file()] == []
    assert "@import" not in sheet.read_text()


def test_the_fonts_are_there_with_their_licences() -> None:
    fonts = ROOT / "static/fonts"

    assert len(re.findall(r"url\(", (CSS / "base.css").read_text())) == len(list(fonts.glob("*.woff2"))) == 2
    assert all("SIL OPEN FONT LICENSE" in path.read_text().upper() for path in fonts.glob("LICENSE-*.txt"))
    assert len(list(fonts.glob("LICENSE-*.txt"))) == 2


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_templates_hold_nothing_inline(page: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", page.read_text(), flags=re.DOTALL)

    assert not re.search(r"<style\b|\sstyle\s*=", text, re.IGNORECASE), "a style"
    assert not re.search(r"<script\b[^>]*>(?!\s*</script>)", text, re.IGNORECASE), "a script"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"'{]", text, re.IGNORECASE), "an event handler"
    assert not re.search(r"[\"'(]\s*(?:data|javascript):", text, re.IGNORECASE), "content in an address"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_small_and_build_no_html(script: Path) -> None:
    text = script.read_text()
    builds_html = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"

    assert len(text.splitlines()) <= 100
    assert not re.search(builds_html, text)


def test_every_module_that_a_page_or_another_module_names_exists() -> None:
    named = {name for page in PAGES for name in re.findall(r'data-module="([\w-]+)"', page.read_text())}
    named |= {name for script in SCRIPTS for name in re.findall(r'from "\./([\w-]+)\.js"', script.read_text())}

    assert named == {script.stem for script in SCRIPTS} - {"main"}


def test_every_icon_that_a_page_names_is_drawn() -> None:
    naming = r"(?:\bicon\(|\bsymbol=)[\"']([\w-]+)"
    named = {key for page in PAGES for key in re.findall(naming, page.read_text())}
    icons = (ROOT / "templates/components/icons.html").read_text()

    assert named
    assert named <= set(re.findall(r'call symbol\("([\w-]+)"', icons))


def test_the_browser_bar_has_the_colours_of_the_band() -> None:
    head = (ROOT / "templates/layouts/bare.html").read_text()
    metas = re.findall(r'theme-color" media="[^"]*: (\w+)\)" content="(#\w+)"', head)

    assert dict(metas) == dict(zip(("light", "dark"), TOKENS["band"], strict=True))
