"""What a plan must keep: one file a rule, found by its name."""
