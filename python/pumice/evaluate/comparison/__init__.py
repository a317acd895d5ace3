"""Static against transformer on one's own texts: size, memory, processor time, quality, and what to take."""

from pumice.evaluate.comparison.comparison import CompareOptions, Comparison, compare

__all__ = ["CompareOptions", "Comparison", "compare"]
