"""Measurements, in one run on one machine: absolute times are noisy, so a constant page is the ceiling."""
