"""pumice train: pairs of texts, or raw text and a teacher, make a static model of one's own."""

from pumice.commands.train.arguments import add_arguments
from pumice.commands.train.running import run

__all__ = ["add_arguments", "run"]
