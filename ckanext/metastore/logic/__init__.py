"""CKAN's faces of the metastore: actions, who may call them, and what they take."""
