"""How long pages take for somebody who keeps very much: a thousand projects and releases, ten thousand events."""

import statistics
from functools import partial
from http.client import HTTPConnection

from bench.bars import Verdict
from bench.sign_in import milliseconds

MOST_MS = 50
TIMES = 20
PAGES = {
    "your projects, 1,000": "/manage/projects/",
    "releases of a project, 1,000": "/manage/project/crowd/releases/",
    "its public page": "/project/crowd/",
    "history of the account, 10,000 events": "/manage/account/history/",
    "history of the project, 10,000 events": "/manage/project/crowd/history/",
    "people of a project, 100": "/manage/project/crowd/collaboration/",
    "API tokens": "/manage/account/token/",
    "projects of an organization, 1,000": "/manage/organization/harbour/projects/",
    "history of the organization, 10,000 events": "/manage/organization/harbour/history/",
}


def time_lists(port: int, cookie: str) -> dict[str, list[float]]:
    """Milliseconds of each page, many times, one after another."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    took = {}
    for what, path in PAGES.items():
        _open(connection, path, cookie)
        took[what] = [milliseconds(partial(_open, connection, path, cookie)) for _ in range(TIMES)]
    connection.close()
    return took


def judge_lists(took: dict[str, list[float]]) -> Verdict:
    """Whether the median of every page stays under the limit."""
    slowest = max(took, key=lambda what: statistics.median(took[what]))
    median = statistics.median(took[slowest])
    is_quick = median < MOST_MS
    words = f"Long lists are {'within' if is_quick else 'OVER'} {MOST_MS} ms: {slowest} takes {median:.1f} ms."
    return Verdict(is_quick, words)


def _open(connection: HTTPConnection, path: str, cookie: str) -> None:
    connection.request("GET", path, headers={"Cookie": cookie, "Host": f"localhost:{connection.port}"})
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status == 200, (path, answer.status, said[:300])
