"""The outside world: the clock, mail, sealed secrets, stored files. Imports nothing of ours."""
