"""Everything that can be done here, and what each action asks for: the one table."""

from dataclasses import dataclass
from enum import Enum, unique

from domain.policy.principals import Grant
from domain.policy.targets import OrganizationRole, ProjectStatus, Role

UNLESS_QUARANTINED = frozenset({ProjectStatus.ACTIVE, ProjectStatus.ARCHIVED})
ALWAYS = frozenset(ProjectStatus)


@dataclass(frozen=True)
class Needs:
    """What an action asks of whoever does it.

    label: reads after "You asked to …".
    role: the least role in the target's project; None where the target is one's own or there is none.
    organization_role: the least role in the target's organization. Together with `role` it is asked in addition, of
        projects that belong to an organization.
    administrator: only an administrator of this index may do it.
    statuses: how the target's project may stand.
    grant: what an API token must have been made for; None where no token may do it.
    reading: it changes nothing. Where reading is open, anybody may; and a token's projects make no difference.
    private: reading of what is its people's own, also where reading is open; a token's projects do make a difference.
    publishers: a trusted publisher may do it.
    creates: a project comes of it; a trusted publisher that was registered for a new one may do it, in the name of
        whoever registered it.
    organization_rule: where an organization has its people use a passkey, it is asked for.
    verified_email, second_factor: asked for unless said otherwise, so that a new action is closed by default.
    fresh: the person must have confirmed lately that it is them.
    operator: only the operator's shell may do it.
    proved_address: on an account where nobody was for long, the address must have been proved again.
    """

    label: str
    group: str
    role: Role | None = None
    organization_role: OrganizationRole | None = None
    administrator: bool = False
    statuses: frozenset[ProjectStatus] = UNLESS_QUARANTINED
    grant: Grant | None = None
    reading: bool = False
    private: bool = False
    publishers: bool = False
    creates: bool = False
    organization_rule: bool = True
    verified_email: bool = True
    second_factor: bool = True
    fresh: bool = False
    operator: bool = False
    proved_address: bool = False


READING = "reading"
ACCOUNT = "account"
FACTORS = "second factors"
PROJECTS = "projects"
TOKENS = "API tokens"
RELEASES = "releases"
PEOPLE = "collaborators"
ORGANIZATIONS = "organizations"
PUBLISHERS = "trusted publishers"
ADMINISTRATION = "administration"
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


def _organization(label: str, role: OrganizationRole, *, fresh: bool = False) -> Needs:
    """An action on an organization or on something of it."""
    return Needs(label, ORGANIZATIONS, organization_role=role, fresh=fresh)


@unique
class Action(Enum):
    """An action; its value says what it needs."""

    READ_INDEX = Needs("read this index", READING, grant=Grant.READ, reading=True, second_factor=False)
    READ_PRIVATE = Needs(
        "read private projects",
        READING,
        statuses=ALWAYS,
        grant=Grant.READ,
        reading=True,
        private=True,
        second_factor=False,
    )

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
    DELETE_ACCOUNT = _own("delete your account", fresh=True)
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
    CREATE_PROJECT = Needs("create a project", PROJECTS, grant=Grant.UPLOAD, publishers=True, creates=True)
    VIEW_SETTINGS = Needs("manage a project's settings", PROJECTS, role=Role.OWNER, statuses=ALWAYS)
    ARCHIVE_PROJECT = Needs("archive a project", PROJECTS, role=Role.OWNER, fresh=True)
    UNARCHIVE_PROJECT = Needs("open an archived project again", PROJECTS, role=Role.OWNER, fresh=True)
    CHANGE_READERS = Needs("change who may read a project", PROJECTS, role=Role.OWNER, fresh=True)
    TRANSFER_PROJECT = Needs(
        "hand a project over", PROJECTS, role=Role.OWNER, organization_role=OrganizationRole.OWNER, fresh=True
    )
    WITHDRAW_TRANSFER = Needs("keep a project after all", PROJECTS, role=Role.OWNER, statuses=ALWAYS, fresh=True)
    ACCEPT_TRANSFER = Needs("take a project over", PROJECTS)
    DECLINE_TRANSFER = _own("decline to take a project over")
    DELETE_PROJECT = Needs("delete a project", PROJECTS, role=Role.OWNER, fresh=True)
    VIEW_PROJECT_HISTORY = Needs("see a project's history", PROJECTS, role=Role.MAINTAINER, statuses=ALWAYS)

    CREATE_TOKEN = Needs("create an API token", TOKENS, fresh=True)
    ROTATE_TOKEN = Needs("give an API token a new secret", TOKENS, fresh=True)
    REMOVE_TOKEN = Needs("remove an API token", TOKENS, fresh=True)
    REMOVE_ALL_TOKENS = Needs("remove all API tokens", TOKENS, fresh=True)

    UPLOAD_FILE = Needs(
        "upload a file",
        RELEASES,
        role=Role.MAINTAINER,
        statuses=frozenset({ProjectStatus.ACTIVE}),
        grant=Grant.UPLOAD,
        publishers=True,
    )
    EXCHANGE_IDENTITY = Needs(
        "get a token for a CI job",
        PUBLISHERS,
        role=Role.OWNER,
        statuses=frozenset({ProjectStatus.ACTIVE}),
        publishers=True,
    )
    IMPORT_FILES = Needs("import files from elsewhere", RELEASES, operator=True)
    VIEW_RELEASES = Needs("manage releases", RELEASES, role=Role.MAINTAINER, statuses=ALWAYS)
    YANK_RELEASE = Needs("yank a release", RELEASES, role=Role.MAINTAINER, grant=Grant.YANK)
    UNYANK_RELEASE = Needs("take a yank back", RELEASES, role=Role.MAINTAINER, grant=Grant.YANK)
    DELETE_RELEASE = Needs("delete a release", RELEASES, role=Role.OWNER, fresh=True)
    DELETE_FILE = Needs("delete a file", RELEASES, role=Role.OWNER, fresh=True)
    RESTORE_RELEASE = Needs("restore what was deleted", RELEASES, role=Role.OWNER, fresh=True)

    VIEW_COLLABORATORS = Needs("manage collaborators", PEOPLE, role=Role.MAINTAINER, statuses=ALWAYS)
    INVITE_COLLABORATOR = Needs("invite a collaborator", PEOPLE, role=Role.OWNER, fresh=True)
    REVOKE_INVITATION = Needs("revoke an invitation", PEOPLE, role=Role.OWNER, statuses=ALWAYS, fresh=True)
    CHANGE_ROLE = Needs("change a collaborator's role", PEOPLE, role=Role.OWNER, fresh=True)
    REMOVE_COLLABORATOR = Needs("remove a collaborator", PEOPLE, role=Role.OWNER, statuses=ALWAYS, fresh=True)
    LEAVE_PROJECT = Needs(
        "leave a project", PEOPLE, role=Role.MAINTAINER, statuses=ALWAYS, organization_rule=False, fresh=True
    )
    ACCEPT_INVITATION = Needs("accept an invitation", PEOPLE)
    DECLINE_INVITATION = _own("decline an invitation")

    VIEW_ORGANIZATIONS = _own("see your organizations")
    REQUEST_ORGANIZATION = Needs("request an organization", ORGANIZATIONS)
    ANSWER_QUESTION = Needs("answer a question about an organization that you requested", ORGANIZATIONS)
    WITHDRAW_REQUEST = _own("withdraw the request for an organization")
    VIEW_ORGANIZATION = _organization("see the pages of an organization", OrganizationRole.MEMBER)
    EDIT_ORGANIZATION = _organization("change an organization's settings", OrganizationRole.OWNER, fresh=True)
    DELETE_ORGANIZATION = _organization("delete an organization", OrganizationRole.OWNER, fresh=True)
    VIEW_ORGANIZATION_HISTORY = _organization("see an organization's history", OrganizationRole.MANAGER)
    INVITE_MEMBER = _organization("invite somebody to an organization", OrganizationRole.OWNER, fresh=True)
    REVOKE_MEMBER_INVITATION = _organization(
        "revoke an invitation to an organization", OrganizationRole.OWNER, fresh=True
    )
    CHANGE_MEMBER_ROLE = _organization("change a member's role", OrganizationRole.OWNER, fresh=True)
    REMOVE_MEMBER = _organization("remove a member", OrganizationRole.OWNER, fresh=True)
    LEAVE_ORGANIZATION = Needs(
        "leave an organization",
        ORGANIZATIONS,
        organization_role=OrganizationRole.MEMBER,
        organization_rule=False,
        fresh=True,
    )
    CREATE_TEAM = _organization("create a team", OrganizationRole.MANAGER, fresh=True)
    RENAME_TEAM = _organization("rename a team", OrganizationRole.MANAGER, fresh=True)
    DELETE_TEAM = _organization("delete a team", OrganizationRole.MANAGER, fresh=True)
    ADD_TEAM_MEMBER = _organization("add somebody to a team", OrganizationRole.MANAGER, fresh=True)
    REMOVE_TEAM_MEMBER = _organization("remove somebody from a team", OrganizationRole.MANAGER, fresh=True)
    SET_TEAM_ROLE = _organization("give a team a role in a project", OrganizationRole.OWNER, fresh=True)
    REMOVE_TEAM_ROLE = _organization("take a team's role in a project away", OrganizationRole.OWNER, fresh=True)
    CREATE_ORGANIZATION_PROJECT = Needs(
        "reserve a project name for an organization",
        ORGANIZATIONS,
        organization_role=OrganizationRole.MANAGER,
        publishers=True,
        creates=True,
        fresh=True,
    )
    ACCEPT_PROJECT = _organization("take a project into an organization", OrganizationRole.MANAGER, fresh=True)
    DECLINE_PROJECT = _organization("decline a project for an organization", OrganizationRole.MANAGER)
    REMOVE_ORGANIZATION_PROJECT = _organization(
        "give a project back to its own owners", OrganizationRole.OWNER, fresh=True
    )

    VIEW_PUBLISHERS = Needs("manage trusted publishers", PUBLISHERS, role=Role.OWNER, statuses=ALWAYS)
    ADD_PUBLISHER = Needs(
        "add a trusted publisher",
        PUBLISHERS,
        role=Role.OWNER,
        statuses=frozenset({ProjectStatus.ACTIVE}),
        fresh=True,
    )
    REMOVE_PUBLISHER = Needs("remove a trusted publisher", PUBLISHERS, role=Role.OWNER, statuses=ALWAYS, fresh=True)
    CHANGE_UPLOADERS = Needs("change what may upload to a project", PUBLISHERS, role=Role.OWNER, fresh=True)
    ADD_PENDING_PUBLISHER = Needs("add a pending publisher", PUBLISHERS, fresh=True)
    REMOVE_PENDING_PUBLISHER = Needs("remove a pending publisher", PUBLISHERS, fresh=True)
    ADD_ORGANIZATION_PUBLISHER = _organization(
        "add a pending publisher to an organization", OrganizationRole.OWNER, fresh=True
    )
    REMOVE_ORGANIZATION_PUBLISHER = _organization(
        "remove a pending publisher of an organization", OrganizationRole.OWNER, fresh=True
    )

    VIEW_REQUESTS = Needs("see requests for organizations", ADMINISTRATION, administrator=True)
    DECIDE_REQUEST = Needs("decide about a request for an organization", ADMINISTRATION, administrator=True, fresh=True)
    VIEW_ISSUERS = Needs("see the issuers of identities", ADMINISTRATION, administrator=True)
    ADD_ISSUER = Needs("add an issuer of identities", ADMINISTRATION, administrator=True, fresh=True)
    REMOVE_ISSUER = Needs("remove an issuer of identities", ADMINISTRATION, administrator=True, fresh=True)

    CREATE_ADMINISTRATOR = Needs("create an administrator", ACCOUNT, operator=True)
    SWEEP_BLOBS = Needs("remove bytes that belong to nothing", KEYS, operator=True)
    ROTATE_KEYS = Needs("seal all secrets under a new key", KEYS, operator=True)
    END_SESSIONS = Needs("end somebody's sessions", ACCOUNT, operator=True)
    FREEZE_ACCOUNT = Needs("freeze an account", ACCOUNT, operator=True)
    UNFREEZE_ACCOUNT = Needs("unfreeze an account", ACCOUNT, operator=True)
    LIMIT_PROJECT = Needs("set the limits of a project", PROJECTS, operator=True)

    @property
    def needs(self) -> Needs:
        """What the action asks for."""
        return self.value

    @property
    def label(self) -> str:
        """Reads after "You asked to …"."""
        return self.value.label
