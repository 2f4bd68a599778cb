"""The rules of Countersign: no Flask, no HTTP words; time and randomness are parameters."""
