"""Tuning: the smallest way of keeping vectors that still finds what it must, on one's own texts."""

from pumice.evaluate.tuning.target import Target, parse_target
from pumice.evaluate.tuning.trial import Trial
from pumice.evaluate.tuning.tuning import TuneOptions, Tuning, tune

__all__ = ["Target", "Trial", "TuneOptions", "Tuning", "parse_target", "tune"]
