"""Choosing one model among a decision's candidates."""
