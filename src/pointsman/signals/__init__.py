"""What a request is: one evaluator per signal family."""
