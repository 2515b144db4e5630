"""Arithmetic of an evaluation: what cases should lead to, what they led to, how often the two agree."""
