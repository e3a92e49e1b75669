"""One module for each verb of the command line: `arguments(parser)` declares its flags, `main(args)` runs it.

Where a verb is worth calling from Python, its module also holds a plain function that returns plain values.
"""
