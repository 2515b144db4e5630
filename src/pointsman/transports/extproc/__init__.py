"""Envoy external processing over gRPC."""
