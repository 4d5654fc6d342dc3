"""CKAN dataset dicts and Data Package v2 descriptors, each from the other, without loss.

For every dataset ``d``: ``to_dataset(to_document(d)) == recorded(d)``, also when the document was JSON in between.

What a reader of ``datapackage.json`` needs to know:

*   Outside ``ckan`` the names are the Data Package's, inside ``ckan`` they are CKAN's. ``title`` of a resource is the
    CKAN resource's ``name``; ``ckan.title`` would be a field called ``title`` of the portal's own schema.
*   Each field stands in one place. Where a standard property can say it exactly, it stands there and nowhere else:
    whoever edits ``title`` on GitHub changes the dataset. What no standard property can say (a null, an empty string,
    a link that is no URL, a field of the portal's own schema) stands in ``ckan``. Where somebody has written both,
    the standard property decides.
*   Two properties are for reading only and are made anew each time: ``created``, and the ``name`` of a resource.
*   A property that CKAN has no field for becomes an extra of the dataset, or a field of the resource. So a Data
    Package from elsewhere, without any ``ckan``, makes a sensible dataset. A resource added by hand needs no ``ckan``
    either: CKAN gives it an id.
*   The standard asks for one resource at least, and for ``path`` or ``data`` in each. A dataset without resources
    lists its README, marked by ``"ckan": null``, which is no resource of CKAN's. A resource whose link is no valid
    path has the empty ``data`` ``[]``; its link stands in ``ckan.url``.

A licence is its CKAN id alone: its title and address are the licence register's to tell, and may change there without
any change of the dataset.
"""

from ckanext.metastore.mapper.dataset import to_dataset
from ckanext.metastore.mapper.document import to_document
from ckanext.metastore.mapper.recorded import recorded

__all__ = ["recorded", "to_dataset", "to_document"]
