"""Our own Envoy: configuration files and supervision."""
