"""Tables: columns, constraints, relations and tiny properties. No rules, no commit."""
