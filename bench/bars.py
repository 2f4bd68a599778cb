"""The bars: what Countersign has to reach, each with a verdict that says by how much it was met or missed."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.figures import Figures
from bench.load import Load
from bench.pages import ALL_FORMS, LARGE, SMALL, Beside
from bench.processes import Memory

OF_CEILING, OF_CEILING_MANY, OF_PLAIN_FILES = 0.85, 0.5, 0.9
UNCHANGED_CPU_MS = 0.3
TIMES_THE_SMALL = 2
UPLOAD_MS = 15
START_SECONDS = 1
WORKER_MB = 100


@dataclass(frozen=True)
class Verdict:
    """Whether something holds, in a sentence with its figures."""

    holds: bool
    words: str


def judge_shares(bar: str, shares: Mapping[str, float], least: float) -> Verdict:
    """Whether everything comes to at least this part of what it is compared with. Names all that does not, or else
    what comes nearest to missing."""
    short = {what: share for what, share in shares.items() if share < least}
    worst = min(shares, key=lambda what: shares[what])
    named = ", ".join(f"{what} {share:.0%}" for what, share in (short or {worst: shares[worst]}).items())
    return Verdict(not short, f"{bar} ≥ {least:.0%}: {named if short else f'the least is {named}'}.")


def judge_unchanged(load: Load) -> Verdict:
    """Whether it is cheap to say that nothing has changed."""
    words = f"A 304 takes ≤ {UNCHANGED_CPU_MS} ms of CPU: {load.cpu_ms:.2f} ms."
    return Verdict(load.cpu_ms <= UNCHANGED_CPU_MS, words)


def judge_large(pages: Mapping[str, Beside]) -> Verdict:
    """Whether a page of very many files costs hardly more than one of few, in each form."""
    times = {form: pages[f"{LARGE}, {form}"].page.cpu_ms / pages[f"{SMALL}, {form}"].page.cpu_ms for form in ALL_FORMS}
    named = ", ".join(f"{form} {value:.2f}" for form, value in times.items())
    words = f"A page of 1,000 files takes ≤ {TIMES_THE_SMALL} times the CPU of one of 10: {named}."
    return Verdict(max(times.values()) <= TIMES_THE_SMALL, words)


def judge_upload(p50_ms: float) -> Verdict:
    """Whether whoever publishes hardly has to wait."""
    return Verdict(
        p50_ms <= UPLOAD_MS, f"An upload with a token takes ≤ {UPLOAD_MS} ms at the median: {p50_ms:.1f} ms."
    )


def judge_start(seconds: float) -> Verdict:
    """Whether it is there at once."""
    return Verdict(seconds <= START_SECONDS, f"It answers ≤ {START_SECONDS} s after it was started: {seconds:.2f} s.")


def judge_memory(workers: list[Memory]) -> Verdict:
    """Whether the largest worker stays small under load."""
    most = max(each.rss for each in workers)
    return Verdict(most <= WORKER_MB, f"A worker holds ≤ {WORKER_MB} MB after all this: {most:.0f} MB.")


def judge_peers(ours: Figures, peers: Mapping[str, Figures]) -> Verdict:
    """Whether no other index is ahead in anything that both were measured in."""
    behind = [
        f"{row} ({figure.text} against {theirs[row].text} of {name})"
        for row, figure in ours.items()
        for name, theirs in peers.items()
        if row in theirs and not figure.is_ahead_of(theirs[row])
    ]
    words = "Ahead of the others in every row"
    return Verdict(not behind, f"{words}." if not behind else f"{words}: behind in {'; '.join(behind)}.")
