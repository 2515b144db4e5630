"""Where replicas are found: fixed addresses, DNS, Kubernetes, InferencePools."""
