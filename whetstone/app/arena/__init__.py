"""An arena on this machine: people vote on outputs whose makers they do not know.

`outputs` reads what can be shown, `log` keeps what was answered, `play` hands out matches and takes votes, `site` and
`page` serve it, `labels` holds votes of a model judge against people's.
"""
