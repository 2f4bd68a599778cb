"""What is asked of signing in and of what stands behind it, by number, and the mark of a test that proves it.

The numbers are our own list of requirements, drawn up from OWASP ASVS 5.0, NIST SP 800-63B-4, WebAuthn Level 3 and
the OWASP cheat sheets. A test says `@requirement("R17")`; `make requirements` runs those tests and prints the table.
"""

import pytest


def requirement(*numbers: str) -> pytest.MarkDecorator:
    """Mark a test that proves these requirements: `@requirement("R17", "R30")`."""
    return pytest.mark.requirement(*numbers)


ASKED = {
    # The gate
    "R01": "Without a second factor every page behind the gate leads to where one is set up, under a red banner",
    "R02": "The same for every form and every program: nothing changes; people are led on, programs get 403",
    "R03": "Every route is declared public or stands behind the gate; one that is neither stops the start",
    "R04": "Without a second factor one can still browse, search, install and download",
    "R05": "Without a second factor one's API token uploads nothing, is told why, and is not lost",
    # Signing in
    "R06": "A password without its second factor counts as nobody",
    "R07": "Half a sign-in ends after ten minutes or five wrong codes",
    "R08": "Half a sign-in as one person is never finished with the code of another",
    "R09": "A username and password are no way to upload, and are not even compared",
    "R10": "A fresh index knows no password; its first administrator is made in the shell and enrols like everybody",
    "R11": "A wrong name and a wrong password look alike and take the same time",
    "R12": "Registering and asking for a reset tell nobody whether an address or an account exists; the mail does",
    "R13": "However an account is named at the sign-in, its wrong passwords are counted in one budget",
    "R14": "After three wrong passwords a sign-in tells the owner, on the page and by mail",
    "R15": "A right password whose second factor fails or never comes is noted and told to the owner",
    # Second factors
    "R16": "A code of an authenticator app is good once, and the second use is called that",
    "R17": "One code in twenty requests at once lets one of them in",
    "R18": "After the code of a step, that of an earlier step is refused",
    "R19": "A code is brought to one spelling before it is compared or kept, so that no other spelling replays it",
    "R20": "The codes beside the present one are good, others not; a clock that is off is named, and the try counts",
    "R21": "Only the server's clock decides which code is the present one",
    "R22": "The secret of an app has 160 random bits and stands in no address, log, event or mail",
    "R23": "The secret of an app is sealed in the database for its own row: neither read nor moved to another",
    "R24": "A new factor counts once it has proved itself; given up before that, the old one goes on working",
    "R25": "The QR code on the screen stays good over reloads, wrong codes and further tabs for half an hour",
    "R26": "Wrong codes have to wait, and a hundred in a row close that method until another one is used",
    "R27": "A guess is counted before it is judged, so that many at once are no more than the budget",
    "R28": "Somebody's success clears neither another account's budget nor that of another method",
    "R29": "Recovery codes have 80 random bits, are shown once and kept as slow salted hashes",
    "R30": "A recovery code is good once, also in twenty requests at once; when and from where is kept",
    "R31": "Making new recovery codes is a POST that asks who one is, voids the old ones and is told by mail",
    "R32": "After a recovery code one is led to replace the lost device; at three left one is warned",
    "R33": "A recovery code needs the password beside it, and confirms nobody while there is another factor",
    "R34": "Adding a factor asks for the strongest one there is, and tells every verified address",
    "R35": "The last second factor cannot be removed while one is required, also not by two requests at once",
    "R36": "Each factor can be removed by its owner and by an administrator, and is worth nothing from then on",
    "R37": "A key that verified the user is both factors; one that did not asks for the password as well",
    "R38": "A key stands first among the methods and needs no app before it",
    "R39": "A rule can ask for a factor that cannot be phished; without one a session may enrol a key and nothing else",
    "R40": "Nothing that comes by mail is a second factor",
    "R41": "A trusted browser is a hashed row for 30 days, revocable, dead with any credential, and never a proof",
    # Ceremonies of keys
    "R42": "A challenge is random, kept here with purpose, session and account, and gone before it is judged",
    "R43": "A challenge of another purpose or another session is refused",
    "R44": "Origin and RP ID come from the settings; another Host is refused",
    "R45": "An answer made for another origin, or inside a frame of another site, is refused",
    "R46": "A key that is registered belongs to one account only",
    "R47": "Somebody else's key is no second factor and no confirmation",
    "R48": "The user handle must be the owner's; without a username there must be one",
    "R49": "A key that suddenly claims it can or cannot be copied is refused; whether it is copied is kept and shown",
    "R50": "A counter that falls under a true signature is refused and told as a copied key; under a false one not",
    "R51": "Keys that do not count stay good",
    "R52": "The options of a sign-in look alike for everybody and name no key without a username",
    "R53": "Enrolling names the keys that there are, so that none is enrolled twice",
    "R54": "People have five minutes, and can try again without a reload",
    "R55": "A thousand malformed answers are refused, and none is our error",
    # Sessions
    "R56": "The cookie is a random handle of 256 bits; only its hash is kept",
    "R57": "Handle and form secret change whenever a session rises, and the old handle is dead",
    "R58": "A handle planted before the sign-in is worth nothing after it",
    "R59": "Signing out kills every copy of the cookie",
    "R60": "A session ends after an hour without use and after a day at the latest, sooner for administrators",
    "R61": "One's sessions are listed; one or all others can be ended at once",
    "R62": "Changing the password or a factor signs the account's other browsers out",
    "R63": "A frozen or deleted account is out at once, with its tokens",
    "R64": "An administrator can end the sessions of one account or of all",
    "R65": "What is dangerous asks who one is, if that was not shown within 15 minutes in this very session",
    "R66": "The cookie is bound to host and TLS, unseen by scripts, and not sent along from elsewhere",
    "R67": "Every page of somebody signed in has the button that signs out",
    "R68": "Flask-Login's remember cookie is neither set nor believed",
    # Passwords
    "R69": "Twelve characters are the least and hundreds are fine, of whatever kind",
    "R70": "Common and guessable passwords, and those made of one's own names, are refused with the reason",
    "R71": "Passwords are compared whole and as they were typed",
    "R72": "Passwords are kept as Argon2id with its costs, and anew at the next sign-in when these rise",
    "R73": "Password managers and pasting are helped, and what was typed can be shown",
    "R74": "A reset link has 256 bits and is good once, for an hour, until a sign-in or another change",
    "R75": "A reset signs nobody in, and the second factor is asked for as ever",
    "R76": "The token of a link reaches neither other sites nor logs",
    "R77": "An administrator can have a link sent but neither sees nor sets anybody's password",
    "R78": "An administrator's reset of factors has a reason, a delay and a way to stop it, and is told",
    "R79": "No password is too old",
    # Tokens and publishing
    "R80": "An API token is random, shown once, recognisable to scanners, kept as a hash, bounded and revocable",
    "R81": "A token is judged when it is used: project, role, second factor, end, removal",
    "R82": "Somebody else's token does not exist",
    "R83": "A narrowed token is refused wherever its restrictions are not understood",
    "R84": "An identity token is taken under RS256 or ES256 and a known key only",
    "R85": "An identity token names us alone, its issuer exactly, and its times within 30 seconds",
    "R86": "An identity token is good once",
    "R87": "A publisher is matched by ids that a new owner of an old name does not have",
    "R88": "A publisher of one issuer is never matched by a token of another",
    "R89": "The token of a publisher lasts a quarter of an hour, for one project, and opens no account page",
    # Requests and answers
    "R90": "Every form and every JSON request of a browser needs the form token; opening a page changes nothing",
    "R91": "Signing in and out need the form token, too",
    "R92": "A strict content security policy; nothing inline, nothing from elsewhere, no frames",
    "R93": "The other headers that protect browsers stand on every answer",
    "R94": "Pages of somebody signed in are kept by no cache, and signing out clears what the browser kept",
    "R95": "Where one was going survives the whole sign-in, and is never another site",
    "R96": "Another Host is refused, and links in mails come from the settings",
    "R97": "A forwarded address counts behind trusted proxies only",
    # Keys, logs, limits
    "R98": "Keys have ids and can be replaced; short ones stop the start",
    "R99": "Secrets are compared in constant time",
    "R100": "Events are kept with time, person, address, browser, method and outcome, and seen by their owner",
    "R101": "No log holds a password, code, secret, token, cookie or challenge",
    "R102": "What strangers call themselves cannot forge a line of the log",
    "R103": "Refusals, missing form tokens, spent budgets and changes of power are written down",
    "R104": "When the second factor cannot be checked, nobody gets in",
    "R105": "Guesses, accounts, mails, tokens and invitations have limits; a search is bounded in what it costs",
    "R106": "Wrong passwords never stand in the way of a key",
}

NO_PUBLISHING = "Trusted publishing is not built: no identity token is taken and none is exchanged."

DOES_NOT_APPLY = {
    "R39": "Rules are two dates so far; how strong a factor must be comes with rules that an administrator edits.",
    "R78": "Administrators reset no factors yet; the shell does, and every address is told.",
    "R83": "API tokens are opaque and looked up whole, so nothing in them could be narrowed or misread.",
    **dict.fromkeys(("R84", "R85", "R86", "R87", "R88", "R89"), NO_PUBLISHING),
}
