"""Vocabularies learned from texts: sub-words, whole words and phrases, and how often each occurs."""

from pumice.vocabulary.learning import LearnedVocabulary, learn_vocabulary, useful_entries
from pumice.vocabulary.options import VocabularyOptions

__all__ = ["LearnedVocabulary", "VocabularyOptions", "learn_vocabulary", "useful_entries"]
