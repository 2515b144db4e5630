"""What happens around the call: rewrites and early answers."""
