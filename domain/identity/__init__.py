"""Who is it? Accounts, addresses, passwords, second factors, sessions, tokens."""
