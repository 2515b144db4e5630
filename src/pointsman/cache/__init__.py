"""Answers given again: what makes two requests the same, which answers may be kept, how they are replayed."""
