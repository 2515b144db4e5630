"""What became of each request, as Envoy's access log tells it."""
