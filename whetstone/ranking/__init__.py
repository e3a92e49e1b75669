"""Ranking: from comparisons to strengths with intervals, ranks and tiers. Pure functions, numpy and scipy only."""
