"""Generated documents and requests, put through everything from loading to routing."""
