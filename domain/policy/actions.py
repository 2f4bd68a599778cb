"""Everything that can be done here, and what each action asks for: the one table."""

from dataclasses import dataclass
from enum import Enum, unique

from domain.policy.targets import Role


@dataclass(frozen=True)
class Needs:
    """What an action asks of whoever does it.

    label: reads after "You asked to …".
    role: the least role in the target's project; None where the target is one's own or there is none.
    verified_email, second_factor: asked for unless said otherwise, so that a new action is closed by default.
    fresh: the person must have confirmed lately that it is them.
    tokens: an API token may do it.
    operator: only the operator's shell may do it.
    proved_address: on an account where nobody was for long, the address must have been proved again.
    """

    label: str
    group: str
    role: Role | None = None
    verified_email: bool = True
    second_factor: bool = True
    fresh: bool = False
    tokens: bool = False
    operator: bool = False
    proved_address: bool = False


ACCOUNT = "account"
FACTORS = "second factors"
PROJECTS = "projects"
TOKENS = "API tokens"
RELEASES = "releases"
PEOPLE = "collaborators"
KEYS = "keys"


def _own(label: str, *, verified_email: bool = False, fresh: bool = False) -> Needs:
    """An action on one's own account that must stay possible without a second factor."""
    return Needs(label, ACCOUNT, verified_email=verified_email, second_factor=False, fresh=fresh)


def _way_out(label: str, *, verified_email: bool = True, fresh: bool = True, proved_address: bool = False) -> Needs:
    """An action that leads to a second factor, and so cannot ask for one."""
    return Needs(
        label,
        FACTORS,
        verified_email=verified_email,
        second_factor=False,
        fresh=fresh,
        proved_address=proved_address,
    )


@unique
class Action(Enum):
    """An action; its value says what it needs."""

    VIEW_ACCOUNT = _own("open your account page")
    VIEW_PROJECTS = _own("see your projects")
    SIGN_OUT = _own("sign out")
    CONFIRM_PRESENCE = _own("confirm it is you")
    VERIFY_EMAIL = _own("verify your email address")
    CORRECT_EMAIL = _own("correct your email address", fresh=True)
    ADD_EMAIL = _own("add an email address", fresh=True)
    REMOVE_EMAIL = _own("remove an email address", verified_email=True, fresh=True)
    CHANGE_PASSWORD = _own("change your password", fresh=True)
    EDIT_PROFILE = _own("edit your profile")
    CHANGE_PRIMARY_EMAIL = Needs("change your primary email address", ACCOUNT, fresh=True, proved_address=True)
    VIEW_SESSIONS = _own("see where you are signed in")
    END_SESSION = _own("end a session", fresh=True)
    END_OTHER_SESSIONS = _own("end all other sessions", fresh=True)
    DISTRUST_BROWSER = _own("have a browser asked for the second factor again", fresh=True)
    VIEW_HISTORY = _own("see what happened to your account")

    VIEW_FACTORS = _way_out("see your second factors", verified_email=False, fresh=False)
    ENROL_TOTP = _way_out("set up an authenticator app", proved_address=True)
    ENROL_PASSKEY = _way_out("add a passkey or security key", proved_address=True)
    CONFIRM_RECOVERY_CODES = _way_out("save your recovery codes", fresh=False)
    MAKE_RECOVERY_CODES = Needs("make new recovery codes", FACTORS, fresh=True)
    RENAME_FACTOR = Needs("rename a second factor", FACTORS, fresh=True)
    REMOVE_FACTOR = Needs("remove a second factor", FACTORS, fresh=True)
    RESET_FACTORS = Needs("reset somebody's second factors", FACTORS, operator=True)

    RESERVE_PROJECT = Needs("reserve a project name", PROJECTS)
    CREATE_PROJECT = Needs("create a project", PROJECTS, tokens=True)

    CREATE_TOKEN = Needs("create an API token", TOKENS, fresh=True)
    REMOVE_TOKEN = Needs("remove an API token", TOKENS, fresh=True)

    UPLOAD_FILE = Needs("upload a file", RELEASES, role=Role.MAINTAINER, tokens=True)
    VIEW_RELEASES = Needs("manage releases", RELEASES, role=Role.MAINTAINER)
    DELETE_RELEASE = Needs("delete a release", RELEASES, role=Role.OWNER, fresh=True)

    VIEW_COLLABORATORS = Needs("manage collaborators", PEOPLE, role=Role.MAINTAINER)
    INVITE_COLLABORATOR = Needs("invite a collaborator", PEOPLE, role=Role.OWNER, fresh=True)
    REVOKE_INVITATION = Needs("revoke an invitation", PEOPLE, role=Role.OWNER, fresh=True)
    REMOVE_COLLABORATOR = Needs("remove a collaborator", PEOPLE, role=Role.OWNER, fresh=True)
    LEAVE_PROJECT = Needs("leave a project", PEOPLE, role=Role.MAINTAINER, fresh=True)
    ACCEPT_INVITATION = Needs("accept an invitation", PEOPLE)
    DECLINE_INVITATION = _own("decline an invitation")

    CREATE_ADMINISTRATOR = Needs("create an administrator", ACCOUNT, operator=True)
    ROTATE_KEYS = Needs("seal all secrets under a new key", KEYS, operator=True)
    END_SESSIONS = Needs("end somebody's sessions", ACCOUNT, operator=True)
    FREEZE_ACCOUNT = Needs("freeze an account", ACCOUNT, operator=True)
    UNFREEZE_ACCOUNT = Needs("unfreeze an account", ACCOUNT, operator=True)

    @property
    def needs(self) -> Needs:
        """What the action asks for."""
        return self.value

    @property
    def label(self) -> str:
        """Reads after "You asked to …"."""
        return self.value.label
