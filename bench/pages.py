"""The pages that are measured, each in turns with a ceiling: whatever else the machine does slows both."""

import json
import re
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import median_load
from bench.load import JSON, Load, ask_often, fetch
from bench.processes import Running

HTML_ONLY = {"HTML": {"Accept": "text/html"}}
WITH_JSON = {**HTML_ONLY, "JSON": {"Accept": JSON}}
PACKED = {"Accept-Encoding": "gzip"}
ALL_FORMS = {
    **WITH_JSON,
    **{f"{form}, gzip": {**headers, **PACKED} for form, headers in WITH_JSON.items()},
}
PROJECTS = {"root list of 500": "", "project of 10 files": "small", "project of 1,000 files": "large"}
SMALL, LARGE = "project of 10 files", "project of 1,000 files"
MANY = "root list of 10,000"
UNCHANGED = "304, project of 10 files"
KEPT_HEADERS = ("Content-Type", "Content-Encoding")


@dataclass(frozen=True)
class Page:
    """One row. path: where it is. headers: what is asked for."""

    what: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Round:
    """How long wrk asks each time, and how often."""

    seconds: int
    times: int


@dataclass(frozen=True)
class Beside:
    """A page and what it was compared with. share: the page's requests a second, as a part of the other's."""

    page: Load
    other: Load
    share: float


def simple_pages(simple: str, forms: Mapping[str, Mapping[str, str]]) -> list[Page]:
    """The root list and two projects, in each form. simple: the path of the root list."""
    return [
        Page(f"{what}, {form}", f"{simple}{name}/" if name else simple, headers)
        for what, name in PROJECTS.items()
        for form, headers in forms.items()
    ]


def unchanged(server: Running, path: str) -> Page:
    """The page once more, asked for by somebody who has it already."""
    headers = HTML_ONLY["HTML"]
    return Page(UNCHANGED, path, {**headers, "If-None-Match": fetch(server.url + path, headers)[1]["ETag"]})


def ask(server: Running, page: Page, seconds: int) -> Load:
    """One round."""
    return ask_often(server.url + page.path, server.pid, seconds=seconds, headers=page.headers)


def beside_ceiling(server: Running, page: Page, ceilings: Path, rounds: Round) -> Beside:
    """Measure a page beside the route that answers its very bytes, under the same type and coding.

    ceilings: the folder in which `bench.server` looks for what to answer.
    """
    body, headers = fetch(server.url + page.path, page.headers)
    name = re.sub("[^a-z0-9]+", "-", page.what.lower())
    (ceilings / f"{name}.json").write_text(json.dumps({key: headers[key] for key in KEPT_HEADERS if key in headers}))
    (ceilings / name).write_bytes(body)
    constant = Page(page.what, f"/_ceiling/{name}", page.headers)
    assert fetch(server.url + constant.path)[0] == body
    return in_turns(lambda: ask(server, page, rounds.seconds), lambda: ask(server, constant, rounds.seconds), rounds)


def in_turns(page: Callable[[], Load], other: Callable[[], Load], rounds: Round) -> Beside:
    """Measure both again and again, one after the other."""
    pairs = [(page(), other()) for _ in range(rounds.times)]
    return Beside(
        page=median_load([one for one, _ in pairs]),
        other=median_load([two for _, two in pairs]),
        share=statistics.median(one.rate / two.rate for one, two in pairs),
    )
