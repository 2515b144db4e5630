"""Files of requests, run in the background: kept on disk, so that a restart goes on where it was."""
