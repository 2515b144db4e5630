"""What people see on a terminal: pure functions from values to rich renderables."""
