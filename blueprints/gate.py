"""The gate in front of every change. It asks the judge and answers; it holds no rule of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask, g, make_response, request
from flask.typing import ResponseReturnValue

from blueprints import reading, wiring
from blueprints.browser_session import origin_of
from blueprints.caller import Channel, caller
from blueprints.denials import answer
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.judge import judge
from domain.policy.principals import Anonymous, TokenHolder
from domain.policy.targets import Target

P = ParamSpec("P")
R = TypeVar("R")
READS = (Action.READ_INDEX, Action.READ_PRIVATE)  # what a view that shows things asks for, the latter where it must
OPEN_TO_SCRIPTS = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
View = Callable[..., ResponseReturnValue]
Load = Callable[..., Target | None]


@dataclass(frozen=True)
class Mark:
    """What a view carries once it is behind the gate, or open on purpose. `view`: the function that was marked."""

    view: object
    actions: tuple[Action, ...] = ()
    channel: Channel = Channel.BROWSER
    resume: str | None = None
    keeps: tuple[str, ...] = ()

    @property
    def is_public(self) -> bool:
        """Whether anybody may call the view, on an index that everybody may read."""
        return all(action.needs.reading for action in self.actions)


class NakedRoute(Exception):
    """A route that is neither behind the gate nor declared public. The application does not start with one."""


def management_action(
    action: Action,
    *,
    target: Load | None = None,
    without_target: Action | None = None,
    channel: Channel = Channel.BROWSER,
    resume: str | None = None,
    keeps: tuple[str, ...] = (),
) -> Callable[[View], View]:
    """Put a view behind the gate. Stands directly below the route, above everything else.

    target: called with the principal and the URL's values; returns what the action is done to, or aborts with 404
        where the caller may not even know of it. The view is then called with the permit and the target's subject,
        otherwise with the permit and the URL's values. Not called for somebody unknown, who is asked to sign in first.
    without_target: the action that is judged where `target` returns None (an upload that creates its project).
    channel: which credentials count, and how a refusal is said.
    resume: the endpoint whose page a person returns to after an interruption; needed where this one has no GET.
    keeps: form fields that are offered again then. Never a secret.
    """

    def put_behind(view: View) -> View:
        @wraps(view)
        def guarded(**url_values: Any) -> ResponseReturnValue:  # Any: whatever the URL's converters make
            principal = caller(channel)
            found = target(principal, **url_values) if target and not isinstance(principal, Anonymous) else None
            if channel is Channel.MACHINE and target:
                principal = caller(channel)  # anew: a body may have been under way for as long as its sender liked
            judged = action if found is not None or without_target is None else without_target
            decision = judge(principal, judged, found, wiring.services().policy, wiring.now())
            if not isinstance(decision, Permit):
                return answer(decision, channel, resume=resume, keeps=keeps)
            g.judged = found  # for the frame of the page, which offers what this person may do there
            if target is None:
                return view(decision, **url_values)
            return view(decision, found.subject if found is not None else None)

        actions = (action,) if without_target is None else (action, without_target)
        guarded.__gate__ = Mark(guarded, actions, channel, resume, keeps)  # type: ignore[attr-defined]
        return guarded

    return put_behind


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Declare that anybody may call this view. Stands directly below the route, as `management_action` does."""
    view.__gate__ = Mark(view)  # type: ignore[attr-defined]
    return view


def for_readers(channel: Channel = Channel.BROWSER) -> Callable[[View], View]:
    """Declare a view that shows what is on the index: open where reading is, and else for members and for programs with
    a token that may read. Stands directly below the route. channel: as in `management_action`.

    Where reading is open nobody is asked who they are: neither cookie nor credentials are looked at, unless the view
    comes upon private projects and asks `blueprints.reading`.
    """

    def put_behind(view: View) -> View:
        @wraps(view)
        def guarded(**url_values: Any) -> ResponseReturnValue:  # Any: whatever the URL's converters make
            policy, now = wiring.services().policy, wiring.now()
            principal = reading.who_asks(channel) if policy.members_only else Anonymous(origin_of(request))
            decision = judge(principal, Action.READ_INDEX, None, policy, now)
            if not isinstance(decision, Permit):
                return answer(decision, channel, resume=None, keeps=())
            if not policy.members_only:
                return _for_everybody(view(**url_values), channel, now)
            if isinstance(principal, TokenHolder):
                reading.remember_use(principal, now)
            return reading.for_one_reader(make_response(view(**url_values)))

        guarded.__gate__ = Mark(guarded, READS, channel)  # type: ignore[attr-defined]
        return guarded

    return put_behind


def _for_everybody(answer: ResponseReturnValue, channel: Channel, now: datetime) -> ResponseReturnValue:
    """What programs read, scripts on other sites may read as well: it is public, as long as no credentials came along
    that count."""
    if channel is Channel.BROWSER:
        return answer
    response = reading.keep_apart(make_response(answer))
    if reading.is_for_one():
        reading.remember_reading(now)
        return response
    response.headers.update(OPEN_TO_SCRIPTS)
    return response


def mark_of(view: object) -> Mark | None:
    """The mark of a registered view. A mark that was copied from another function by `functools.wraps` is none."""
    mark = getattr(view, "__gate__", None)
    return mark if isinstance(mark, Mark) and mark.view is view else None


def seal(app: Flask) -> None:
    """Raise NakedRoute if any endpoint lacks a mark, or has no page to return to after an interruption."""
    for rule in app.url_map.iter_rules():
        mark = mark_of(app.view_functions[rule.endpoint])
        if mark is None:
            raise NakedRoute(
                f"{rule.endpoint} ({rule.rule}) is neither behind @management_action nor @public; "
                "the decorator stands directly below the route"
            )
        if mark.is_public or mark.channel is Channel.MACHINE:
            continue
        if mark.resume is None and "GET" not in (rule.methods or set()):
            raise NakedRoute(f"{rule.endpoint} ({rule.rule}) has no GET and names no page to resume at")
