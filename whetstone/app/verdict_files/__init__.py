"""Verdicts and scores that judges left in files, in the formats of other tools and in the project's own.

`reading` recognises and reads them, `writing` converts them, `ranked` makes comparisons of them; most other modules are
one format each.
"""
