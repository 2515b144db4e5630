"""Rules over signals: evaluation, ranking, static analysis."""
