"""The demo's portal: the open data of Harrowmere, an invented city, and the program that loads it into CKAN."""
