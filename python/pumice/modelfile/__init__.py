"""tokenizer.json and weights to .pumice and back; model2vec and sentence-transformers folders."""

from pumice.modelfile.compiler import compile_model
from pumice.modelfile.parts import Metadata, ModelParts
from pumice.modelfile.reader import ModelFile

__all__ = ["Metadata", "ModelFile", "ModelParts", "compile_model"]
