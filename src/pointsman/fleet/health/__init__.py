"""Whether replicas live: probes, what traffic shows, and what follows from both."""
