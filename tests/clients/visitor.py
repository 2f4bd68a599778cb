"""A person with the plainest of browsers: the standard library, cookies, forms as the pages have them, no script."""

import re
import urllib.error
import urllib.parse
import urllib.request
from xml.etree.ElementTree import Element

import html5lib
import pyotp
import zxingcpp
from PIL import Image, ImageDraw

PIXELS = 8  # of one module of a QR code


class Visitor:
    """Keeps the page that is open; links and forms are found by what they say."""

    def __init__(self, url: str) -> None:
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        self.address = url
        self.root = Element("html")

    def open(self, path: str, form: list[tuple[str, str]] | None = None) -> None:
        """Open a page, or send a form to it; redirects are followed."""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        with self._opener.open(urllib.parse.urljoin(self.address, path), data) as answer:
            self.address = answer.url
            html = answer.read().decode()
        self.root = html5lib.HTMLParser(namespaceHTMLElements=False).parse(html)

    def follow(self, text: str) -> None:
        """Follow the link that says so."""
        [link] = [each for each in self.root.iter("a") if words(each) == text][:1]
        self.open(link.attrib["href"])

    def press(self, text: str, **typed: str) -> None:
        """Type into the fields of the form that has this button, and press it."""
        [form] = [form for form in self.root.iter("form") if text in map(words, form.iter("button"))][:1]
        kept = [(name, value) for name, value in values(form) if name not in typed]
        if form.get("method", "get") == "get":
            self.open(f"{form.get('action', '')}?{urllib.parse.urlencode([*kept, *typed.items()])}")
        else:
            self.open(form.get("action") or self.address, [*kept, *typed.items()])

    def send(self, path: str, **typed: str) -> None:
        """Send a form to a page without having opened it: from a tab of yesterday, or a script."""
        token = dict(values(self.root))["csrf_token"]
        self.open(path, [("csrf_token", token), *typed.items()])

    @property
    def title(self) -> str:
        return words(self.find(".//title"))

    def find(self, path: str) -> Element:
        """The first element there; there must be one."""
        found = self.root.find(path)
        assert found is not None, f"no {path} on {self.address}: {words(self.root)}"
        return found

    def value(self, name: str) -> str:
        """What stands in a field of the form."""
        return dict(values(self.root)).get(name, "")

    def read_qr(self) -> pyotp.TOTP:
        """What a phone makes of the QR code on the page: it is drawn, and read from the picture."""
        drawing = self.find(".//*[@role='img']/{*}svg")
        totp = pyotp.parse_uri(read_code(drawing))
        assert isinstance(totp, pyotp.TOTP)
        return totp


def words(element: Element) -> str:
    """All text of an element, white space folded."""
    return " ".join("".join(element.itertext()).split())


def values(form: Element) -> list[tuple[str, str]]:
    """What a form would send if nothing were changed in it."""
    found = []
    for control in form.iter():
        name, kind = control.get("name"), control.get("type")
        if name is None or (kind in ("radio", "checkbox") and "checked" not in control.attrib):
            continue
        if control.tag == "input":
            found.append((name, control.get("value", "on" if kind in ("radio", "checkbox") else "")))
        elif control.tag == "select":
            options = list(control.iter("option"))
            chosen = [option for option in options if "selected" in option.attrib] or options[:1]
            found += [(name, option.get("value", words(option))) for option in chosen]
        elif control.tag == "textarea":
            found.append((name, "".join(control.itertext())))
    return found


def read_code(drawing: Element) -> str:
    """Draw an SVG of horizontal strokes, each a module high, as segno writes them, and read the code from it."""
    [_, _, width, height] = map(int, drawing.attrib["viewBox"].split())
    picture = Image.new("L", (width * PIXELS, height * PIXELS), 255)
    pen = ImageDraw.Draw(picture)
    x = y = 0.0
    path = drawing.find("{*}path")
    assert path is not None
    for command, numbers in re.findall(r"([Mmh])([^Mmh]*)", path.attrib["d"]):
        steps = [float(number) for number in numbers.split()]
        if command == "h":
            box = (x * PIXELS, (y - 0.5) * PIXELS, (x + steps[0]) * PIXELS - 1, (y + 0.5) * PIXELS - 1)
            pen.rectangle(box, fill=0)
            x += steps[0]
        else:
            x, y = (steps[0], steps[1]) if command == "M" else (x + steps[0], y + steps[1])
    [code] = zxingcpp.read_barcodes(picture)
    return code.text
