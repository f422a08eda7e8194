# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and drawing the results of airesim.

>>> import airesim
>>> ds = airesim.open("results/outbreak_response.h5")
>>> airesim.paired.compare(ds, "resilience_loss")         # every arm against the reference, world by world
"""

from airesim import answer, budget, coupling, equity, paired, sensitivity, survival
from airesim.io import facts, open, status_counts  # noqa: A004 - airesim.open is what people expect
from airesim.run import run, scenario
from airesim.survival import SurvivalCurve, survival_curve

__all__ = [
    "SurvivalCurve", "answer", "budget", "coupling", "equity", "facts", "open", "paired", "run", "scenario", "sensitivity", "status_counts",
    "survival", "survival_curve",
]  # fmt: skip
