# SPDX-License-Identifier: GPL-3.0-or-later
"""All validation cases, from the files that hold them."""

from __future__ import annotations

from networks import network_cases
from table import Case
from table import cases as exact_cases


def cases() -> list[Case]:
    """Every case, in order of the files."""
    return exact_cases() + network_cases()
