"""Filters that nothing can match for want of the field: a typing error, told with what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pumice.errors import InputError

if TYPE_CHECKING:
    from pumice.search.index import Index


def check_fields(index: Index, wanted: Mapping[str, Any]) -> None:
    """InputError for a field that is wanted and no record has; an empty index has none and is no fault.

    Asked only where a search found nothing: the first records tell most fields, and only a key that
    they lack is looked for in all of them.
    """
    known = index.fields()
    for key, value in wanted.items():
        if value is None or not known or key in known or index.has_field(key):
            continue
        close = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
        raise InputError(f"filter: no record has a field {key!r}: {hint}")
