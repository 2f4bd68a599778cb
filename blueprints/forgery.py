"""Forms from other sites are refused: every POST of a browser carries a token tied to its session."""

from flask import Flask, abort, current_app, request
from flask_wtf.csrf import CSRFProtect

from blueprints.browser_session import level
from blueprints.caller import Channel
from blueprints.gate import mark_of
from domain.identity.sessions import Level

csrf = CSRFProtect()

# The colours are a cookie of one's own and nothing else: a token would give every passing visitor a session. The others
# are asked by programs, whose cookies count for nothing there: one only names the right address, the other is signed.
FORGEABLE = frozenset(
    {"api.disclose_token", "publishing.burn_token", "publishing.mint_token", "site.theme", "upload.without_slash"}
)


def install(app: Flask) -> None:
    """Check every unsafe request of the browser channel. The gate's own mark says which those are, so that no second
    list can fall behind; machine routes are exempt because they ignore cookies."""
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None)
    csrf.init_app(app)
    app.before_request(_check)


def _check() -> None:
    if request.endpoint is None or request.endpoint in FORGEABLE:
        return
    mark = mark_of(current_app.view_functions[request.endpoint])
    if mark is None or mark.channel is Channel.MACHINE:
        return
    if not mark.is_public and level() is not Level.FULL:
        return  # the gate sends whoever is not signed in to the sign-in page: kinder than "this form is stale"
    if request.files:  # no page has a field for one; where text is expected, a file would be taken for it
        abort(400)
    csrf.protect()
    # The token may have come in a header. A page's form has it in itself; JSON would bring numbers and lists where
    # forms have text, and from an empty body every field would be None.
    if request.method in current_app.config["WTF_CSRF_METHODS"] and not request.form:
        abort(400)
