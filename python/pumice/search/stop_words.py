"""English function words, of questions and of prose, that BM25 leaves out; IDF weighs down the rest."""

from __future__ import annotations

_WORDS = """
a about am an and are as at be been being but by can could did do does for from had has have he her
his how i if in into is it its me my no not of on or our she should so such than that the their then
there these they this to was we were what when where which who whom why will with would you your
"""
STOP_WORDS = frozenset(_WORDS.split())
