"""The documentation, and the scripts that make its measured pages: ``make_gallery`` and ``library_settings``."""
