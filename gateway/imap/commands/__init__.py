"""One module per command (or pair of twins): the work, and nothing else.

A command is an async generator: it yields what it answers, rendered by `codec.write_*`, and at the end `Done`
when it has something to say there. It raises what the layers below raise; `dispatch` puts errors into words.
"""
