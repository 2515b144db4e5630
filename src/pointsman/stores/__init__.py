"""Where answers are kept: a port, and the store in this process."""
