"""How a refusal is shown in the form that led to it: the words at their field, and the status that programs read."""

from wtforms import Form

from blueprints import wiring
from domain.identity.throttle import TooMany
from domain.problems import Problem

INVALID = 422

Status = tuple[int, dict[str, str]]


def put(form: Form, problem: Problem) -> Status:
    """Put the words at their field, or above the form if it has no such field; returns the status of the answer."""
    if problem.field and problem.field in form:
        form[problem.field].errors = [*form[problem.field].errors, problem.message]
    else:
        form.form_errors.append(problem.message)
    return status_of(problem)


def status_of(problem: Problem) -> Status:
    """422; for a spent budget 429 and the seconds to wait."""
    if isinstance(problem, TooMany):
        seconds = (problem.retry_at - wiring.now()).total_seconds()
        return 429, {"Retry-After": str(max(1, round(seconds)))}
    return INVALID, {}
