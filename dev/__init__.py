"""The project's own tools: they install, start and stop what CKAN needs. Standard library only.

Run them as ``python3 -m dev COMMAND`` or, shorter, through ``make``.
"""
