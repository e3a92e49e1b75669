"""Ranking: from comparisons to strengths with intervals, ranks and tiers. Pure functions, numpy and scipy only.

comparisons, reading           battles as integer codes, from labels or from files; counted once
bradley_terry                  strengths with ties, intervals, ranks and tiers; the other methods stand beside it
strengths, ties, likelihood    the fit behind it: models of a comparison, Newton's method, priors that are stated
uncertainty, bootstrap, tiers  sandwich and clustered covariances, refitted bootstrap, simultaneous statements
diagnosis, misfit              what the data do not identify, by name; whether one strength a system is enough
battles_needed                 how many more comparisons would tell two systems apart
"""
