"""The hypotheses of `explain`, one module for each kind of cause."""
