"""Only what pyproject.toml cannot say: which files Babel reads for translations."""

from setuptools import setup

setup(
    message_extractors={
        "ckanext": [
            ("**.py", "python", None),
            ("**.js", "javascript", None),
            ("**/metastore/templates/**.html", "ckan", None),
        ],
    },
)
