# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and drawing the results of airesim.

>>> import airesim
>>> ds = airesim.open("results/outbreak_response.h5")
>>> ds.resilience_loss.mean(["point", "replicate"])
"""

from airesim.io import facts, open, status_counts  # noqa: A004 - airesim.open is what people expect
from airesim.survival import SurvivalCurve, survival_curve

__all__ = ["SurvivalCurve", "facts", "open", "status_counts", "survival_curve"]
