"""Evaluation: what a model finds on test collections, kept and searched in every usual way."""

from pumice.evaluate.embedder import Model, open_model
from pumice.evaluate.evaluation import Evaluation, Figure, evaluate
from pumice.evaluate.retrieval_set import RetrievalSet
from pumice.evaluate.sets import open_sets

__all__ = [
    "Evaluation",
    "Figure",
    "Model",
    "RetrievalSet",
    "evaluate",
    "open_model",
    "open_sets",
]
