"""A model as an OpenAI-compatible server on this machine.

`asked` reads what clients send and `answers` writes what they get, both without any input or output; `local` lets a
model of this machine read texts as they are and say how likely they are; `worker` puts the requests of all clients
into one session; `site` ties them.
"""
