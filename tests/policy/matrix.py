"""The matrix: who may do what. One line for every action, one column for everybody who could ask.

The second word says what is asked about: a project of an organization, an organization, the holder's own thing, or
nothing of anybody.
The holder owns all of it; "unverified" and "no factor" are the holder with less to show; everybody else has the one
role that the column names, and an "org owner" owns the project through the organization. The
index is one for members only.

    ok  allowed                              in  has to sign in
    no  has no permission                    em  has to verify the address
    2f  has to set up a second factor        sc  the token does not reach that far
    pu  the publisher does not reach that far
"""

MEANING = {
    "ok": "ok",
    "in": "not_signed_in",
    "no": "no_permission",
    "em": "email_unverified",
    "2f": "two_factor_required",
    "sc": "token_scope",
    "pu": "publisher_scope",
}

COLUMNS = (
    "anonymous", "unverified", "no factor", "holder", "stranger", "maintainer", "owner", "org member", "org manager",
    "org owner", "administrator", "token account", "token project", "token yank", "token read", "token new",
    "token other", "publisher", "publisher new", "operator",
)  # fmt: skip

#                                             an un nf ho st ma ow me mg oo ad ta tp ty tr tn to pu pn op
TABLE = """
READ_INDEX                     nothing      in em ok ok ok ok ok ok ok ok ok sc sc sc ok sc sc pu pu ok
READ_PRIVATE                   project      in em ok ok no ok ok ok ok ok no sc sc sc sc sc sc pu pu ok
VIEW_ACCOUNT                   nothing      in ok ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
VIEW_PROJECTS                  nothing      in ok ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
SIGN_OUT                       nothing      in ok ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
CONFIRM_PRESENCE               nothing      in ok ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
VERIFY_EMAIL                   nothing      in ok ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
CORRECT_EMAIL                  nothing      in ok ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
ADD_EMAIL                      nothing      in ok ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
REMOVE_EMAIL                   own          in em ok ok no no no no no no no sc sc sc sc sc sc pu pu ok
CHANGE_PASSWORD                nothing      in ok ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
EDIT_PROFILE                   nothing      in ok ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
DELETE_ACCOUNT                 nothing      in ok ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
CHANGE_PRIMARY_EMAIL           own          in em 2f ok no no no no no no no sc sc sc sc sc sc pu pu ok
VIEW_SESSIONS                  nothing      in ok ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
END_SESSION                    own          in ok ok ok no no no no no no no sc sc sc sc sc sc pu pu ok
END_OTHER_SESSIONS             nothing      in ok ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
DISTRUST_BROWSER               own          in ok ok ok no no no no no no no sc sc sc sc sc sc pu pu ok
VIEW_HISTORY                   nothing      in ok ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
VIEW_FACTORS                   nothing      in ok ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
ENROL_TOTP                     nothing      in em ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
ENROL_PASSKEY                  nothing      in em ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
CONFIRM_RECOVERY_CODES         nothing      in em ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
MAKE_RECOVERY_CODES            nothing      in em 2f ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
RENAME_FACTOR                  own          in em 2f ok no no no no no no no sc sc sc sc sc sc pu pu ok
REMOVE_FACTOR                  own          in em 2f ok no no no no no no no sc sc sc sc sc sc pu pu ok
RESET_FACTORS                  nothing      in no no no no no no no no no no sc sc sc sc sc sc pu pu ok
RESERVE_PROJECT                nothing      in em 2f ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
CREATE_PROJECT                 nothing      in em 2f ok ok ok ok ok ok ok ok ok sc sc sc ok sc pu ok ok
VIEW_SETTINGS                  project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
ARCHIVE_PROJECT                project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
UNARCHIVE_PROJECT              project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
CHANGE_READERS                 project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
TRANSFER_PROJECT               project      in em 2f ok no no no no no ok no sc sc sc sc sc sc pu pu ok
WITHDRAW_TRANSFER              project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
ACCEPT_TRANSFER                own          in em 2f ok no no no no no no no sc sc sc sc sc sc pu pu ok
DECLINE_TRANSFER               own          in ok ok ok no no no no no no no sc sc sc sc sc sc pu pu ok
DELETE_PROJECT                 project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
VIEW_PROJECT_HISTORY           project      in em 2f ok no ok ok no no ok no sc sc sc sc sc sc pu pu ok
CREATE_TOKEN                   nothing      in em 2f ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
ROTATE_TOKEN                   own          in em 2f ok no no no no no no no sc sc sc sc sc sc pu pu ok
REMOVE_TOKEN                   own          in em 2f ok no no no no no no no sc sc sc sc sc sc pu pu ok
REMOVE_ALL_TOKENS              nothing      in em 2f ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
UPLOAD_FILE                    project      in em 2f ok no ok ok no no ok no ok ok sc sc sc sc ok pu ok
EXCHANGE_IDENTITY              project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc ok pu ok
IMPORT_FILES                   nothing      in no no no no no no no no no no sc sc sc sc sc sc pu pu ok
VIEW_RELEASES                  project      in em 2f ok no ok ok no no ok no sc sc sc sc sc sc pu pu ok
YANK_RELEASE                   project      in em 2f ok no ok ok no no ok no sc sc ok sc sc sc pu pu ok
UNYANK_RELEASE                 project      in em 2f ok no ok ok no no ok no sc sc ok sc sc sc pu pu ok
DELETE_RELEASE                 project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
DELETE_FILE                    project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
RESTORE_RELEASE                project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
VIEW_COLLABORATORS             project      in em 2f ok no ok ok no no ok no sc sc sc sc sc sc pu pu ok
INVITE_COLLABORATOR            project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
REVOKE_INVITATION              project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
CHANGE_ROLE                    project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
REMOVE_COLLABORATOR            project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
LEAVE_PROJECT                  project      in em 2f ok no ok ok no no ok no sc sc sc sc sc sc pu pu ok
ACCEPT_INVITATION              own          in em 2f ok no no no no no no no sc sc sc sc sc sc pu pu ok
DECLINE_INVITATION             own          in ok ok ok no no no no no no no sc sc sc sc sc sc pu pu ok
VIEW_ORGANIZATIONS             nothing      in ok ok ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
REQUEST_ORGANIZATION           nothing      in em 2f ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
ANSWER_QUESTION                own          in em 2f ok no no no no no no no sc sc sc sc sc sc pu pu ok
WITHDRAW_REQUEST               own          in ok ok ok no no no no no no no sc sc sc sc sc sc pu pu ok
VIEW_ORGANIZATION              organization in em 2f ok no no no ok ok ok no sc sc sc sc sc sc pu pu ok
EDIT_ORGANIZATION              organization in em 2f ok no no no no no ok no sc sc sc sc sc sc pu pu ok
DELETE_ORGANIZATION            organization in em 2f ok no no no no no ok no sc sc sc sc sc sc pu pu ok
VIEW_ORGANIZATION_HISTORY      organization in em 2f ok no no no no ok ok no sc sc sc sc sc sc pu pu ok
INVITE_MEMBER                  organization in em 2f ok no no no no no ok no sc sc sc sc sc sc pu pu ok
REVOKE_MEMBER_INVITATION       organization in em 2f ok no no no no no ok no sc sc sc sc sc sc pu pu ok
CHANGE_MEMBER_ROLE             organization in em 2f ok no no no no no ok no sc sc sc sc sc sc pu pu ok
REMOVE_MEMBER                  organization in em 2f ok no no no no no ok no sc sc sc sc sc sc pu pu ok
LEAVE_ORGANIZATION             organization in em 2f ok no no no ok ok ok no sc sc sc sc sc sc pu pu ok
CREATE_TEAM                    organization in em 2f ok no no no no ok ok no sc sc sc sc sc sc pu pu ok
RENAME_TEAM                    organization in em 2f ok no no no no ok ok no sc sc sc sc sc sc pu pu ok
DELETE_TEAM                    organization in em 2f ok no no no no ok ok no sc sc sc sc sc sc pu pu ok
ADD_TEAM_MEMBER                organization in em 2f ok no no no no ok ok no sc sc sc sc sc sc pu pu ok
REMOVE_TEAM_MEMBER             organization in em 2f ok no no no no ok ok no sc sc sc sc sc sc pu pu ok
SET_TEAM_ROLE                  organization in em 2f ok no no no no no ok no sc sc sc sc sc sc pu pu ok
REMOVE_TEAM_ROLE               organization in em 2f ok no no no no no ok no sc sc sc sc sc sc pu pu ok
CREATE_ORGANIZATION_PROJECT    organization in em 2f ok no no no no ok ok no sc sc sc sc sc sc pu ok ok
ACCEPT_PROJECT                 organization in em 2f ok no no no no ok ok no sc sc sc sc sc sc pu pu ok
DECLINE_PROJECT                organization in em 2f ok no no no no ok ok no sc sc sc sc sc sc pu pu ok
REMOVE_ORGANIZATION_PROJECT    project      in em 2f ok no no no no no ok no sc sc sc sc sc sc pu pu ok
VIEW_PUBLISHERS                project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
ADD_PUBLISHER                  project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
REMOVE_PUBLISHER               project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
CHANGE_UPLOADERS               project      in em 2f ok no no ok no no ok no sc sc sc sc sc sc pu pu ok
ADD_PENDING_PUBLISHER          nothing      in em 2f ok ok ok ok ok ok ok ok sc sc sc sc sc sc pu pu ok
REMOVE_PENDING_PUBLISHER       own          in em 2f ok no no no no no no no sc sc sc sc sc sc pu pu ok
ADD_ORGANIZATION_PUBLISHER     organization in em 2f ok no no no no no ok no sc sc sc sc sc sc pu pu ok
REMOVE_ORGANIZATION_PUBLISHER  organization in em 2f ok no no no no no ok no sc sc sc sc sc sc pu pu ok
VIEW_REQUESTS                  nothing      in no no no no no no no no no ok sc sc sc sc sc sc pu pu ok
DECIDE_REQUEST                 nothing      in no no no no no no no no no ok sc sc sc sc sc sc pu pu ok
VIEW_ISSUERS                   nothing      in no no no no no no no no no ok sc sc sc sc sc sc pu pu ok
ADD_ISSUER                     nothing      in no no no no no no no no no ok sc sc sc sc sc sc pu pu ok
REMOVE_ISSUER                  nothing      in no no no no no no no no no ok sc sc sc sc sc sc pu pu ok
CREATE_ADMINISTRATOR           nothing      in no no no no no no no no no no sc sc sc sc sc sc pu pu ok
SWEEP_BLOBS                    nothing      in no no no no no no no no no no sc sc sc sc sc sc pu pu ok
ROTATE_KEYS                    nothing      in no no no no no no no no no no sc sc sc sc sc sc pu pu ok
END_SESSIONS                   nothing      in no no no no no no no no no no sc sc sc sc sc sc pu pu ok
FREEZE_ACCOUNT                 nothing      in no no no no no no no no no no sc sc sc sc sc sc pu pu ok
UNFREEZE_ACCOUNT               nothing      in no no no no no no no no no no sc sc sc sc sc sc pu pu ok
LIMIT_PROJECT                  nothing      in no no no no no no no no no no sc sc sc sc sc sc pu pu ok
"""

MATRIX: dict[str, tuple[str, dict[str, str]]] = {}
for line in TABLE.strip().splitlines():
    action, about, *answers = line.split()
    assert action not in MATRIX, f"{action} has two lines"
    assert len(answers) == len(COLUMNS), f"{action} has {len(answers)} answers"
    MATRIX[action] = about, dict(zip(COLUMNS, (MEANING[word] for word in answers), strict=True))
