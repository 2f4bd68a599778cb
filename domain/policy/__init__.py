"""May they? Actions, principals, enforcement rules, and the one function that decides."""
