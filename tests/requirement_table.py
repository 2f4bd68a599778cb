"""A plugin of pytest: prints each requirement with its tests and how they went. `make requirements` uses it.

The run fails if a requirement is proved by no test that passed, unless it does not apply.
"""

from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.requirements import ASKED, DOES_NOT_APPLY

PROPERTY = "requirement"

# What each test of a requirement came to, by its name without the case: filled in the process that reports. With
# several processes the reports of the others arrive there, and their properties with them.
Outcomes = defaultdict[str, defaultdict[str, set[str]]]
outcomes: Outcomes = defaultdict(lambda: defaultdict(set))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Write the numbers where they travel with the report."""
    for item in items:
        for mark in item.iter_markers("requirement"):
            item.user_properties += [(PROPERTY, number) for number in mark.args]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note how a test went: its call, or what went wrong before or after it."""
    if report.when != "call" and report.passed:
        return
    for name, number in report.user_properties:
        if name == PROPERTY:
            outcomes[str(number)][report.nodeid.partition("[")[0]].add(report.outcome)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    terminalreporter.section("requirements")
    for number, asked in ASKED.items():
        terminalreporter.write_line(f"{number:<5} {state(number):<15} {asked}")
        for line in reasons(number):
            terminalreporter.write_line(f"{'':<21} {line}")
    states = [state(number) for number in ASKED]
    counted = ", ".join(f"{states.count(word)} {word}" for word in dict.fromkeys(sorted(states)))
    terminalreporter.write_line(f"{len(states)} requirements: {counted}.")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let the run fail for what is not proved."""
    is_reporting = not hasattr(session.config, "workerinput")  # what pytest-xdist gives to its other processes
    is_proved = all(state(number) in ("passed", "does not apply") for number in ASKED)
    if is_reporting and not is_proved and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def state(number: str) -> str:
    """What became of a requirement, in a word or three."""
    found = set().union(*outcomes[number].values())
    if "failed" in found:
        return "failed"
    if "passed" in found:
        return "passed"
    if found:
        return "skipped"
    return "does not apply" if number in DOES_NOT_APPLY else "no test"


def reasons(number: str) -> Iterator[str]:
    """The tests of a requirement, those that did not pass marked as such; or why there is none."""
    for test, found in sorted(outcomes[number].items()):
        others = sorted(found - {"passed"})
        yield test + (f" ({', '.join(others)})" if others else "")
    if not outcomes[number] and number in DOES_NOT_APPLY:
        yield DOES_NOT_APPLY[number]
