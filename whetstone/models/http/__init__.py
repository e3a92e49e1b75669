"""Any OpenAI-compatible server as a model: `settings` says where, `wire` what is said, `pool` when, `model` ties them.

`wire`, `replies` and `scoring` turn requests into JSON and JSON into replies without any input or output; `endpoint`
decides without a clock of its own how much a server is asked at once; `pool` is the one place that waits.
"""
