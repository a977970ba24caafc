"""The vocabulary of MAPI: values only, no I/O, nothing imported from above.

Every module of the suite speaks in these words; see the modules for the concepts they name.
"""
