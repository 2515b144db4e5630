"""Envoy's access-log stream: what became of each request."""
