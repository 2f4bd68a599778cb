"""HTTP: routes, forms, and the gate in front of every change."""
